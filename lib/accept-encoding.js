/**
 * Which content codings a client takes, and which it likes best (RFC 9110 §12.5.3). Text in, names
 * out: knows nothing of requests, and of no coding but by its name.
 */

/** Members that are looked at. Clients name half a dozen; the rest of a longer list isn't read. */
const MAX_MEMBERS = 32

/** A coding and its weight. No two neighbours share a character: it fails in linear time. */
const MEMBER =
  /^[\t ]*([!#$%&'*+\-.^_`|~0-9a-z]+)[\t ]*(?:;[\t ]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[\t ]*)?$/i

/** The weight of an identity that the client doesn't mention: below the least that it can state. */
const LAST_RESORT = 0.0005

/**
 * The codings in which an answer may be sent, best first. `identity`, the answer as it is, is one of
 * them unless the client forbids it. What the client likes equally well stays in the server's order,
 * with identity behind.
 * @template {string} Coding
 * @param {string | null} field the combined value of Accept-Encoding; null when it wasn't sent
 * @param {readonly Coding[]} offered codings in the server's order, in lower case, without identity
 * @returns {(Coding | 'identity')[]} empty when nothing is acceptable
 */
export function acceptableCodings(field, offered) {
  // To send no field allows any coding, but those who send none often can't decode a single one.
  if (field === null) return ['identity']
  const weights = weightsOf(field)
  const rest = weights.get('*')
  const codings = offered.map((name) => ({ name, weight: weights.get(name) ?? rest ?? 0 }))
  const identity = weights.get('identity') ?? rest ?? LAST_RESORT
  return [...codings, { name: /** @type {const} */ ('identity'), weight: identity }]
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ name }) => name)
}

/**
 * Malformed members are left out. A coding that is named twice has the smaller weight: none is used
 * that some member forbids.
 * @param {string} field
 */
function weightsOf(field) {
  /** @type {Map<string, number>} */
  const weights = new Map()
  for (const member of field.split(',', MAX_MEMBERS)) {
    const matched = MEMBER.exec(member)
    if (matched === null) continue
    const name = nameOf(matched[1].toLowerCase())
    const weight = Number(matched[2] ?? 1)
    weights.set(name, Math.min(weights.get(name) ?? 1, weight))
  }
  return weights
}

/**
 * One name for one coding (RFC 9110 §8.4.1.3).
 * @param {string} name
 */
function nameOf(name) {
  return name === 'x-gzip' ? 'gzip' : name
}

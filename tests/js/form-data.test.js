/**
 * Bodies of forms, each over a real socket: what `formData()` and `multipart()` of barewire make of
 * them beside what the platform's own parser does.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multipart, Response, serve } from 'barewire'

const URLENCODED = 'application/x-www-form-urlencoded'
const MULTIPART = 'multipart/form-data; boundary=b'

/** Text or bytes as bytes. */
const bytes = (content) => (typeof content === 'string' ? Buffer.from(content) : content)

/** A part with this Content-Disposition behind `form-data`. */
const part = (parameters, data, fields = '') =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data${parameters}\r\n${fields}\r\n`),
    bytes(data),
    Buffer.from('\r\n'),
  ])

/** A whole form of such parts. */
const form = (...parts) => Buffer.concat([...parts.map(bytes), Buffer.from('--b--\r\n')])

const FIELD = part('; name="a"', '1')
const latin1 = (text) => Buffer.from(text, 'latin1')

const REFUSED = 'refused'
const file = (name, filename, type, data) => [name, { filename, type, data }]

/**
 * Why `multipart()` may differ from the platform, whose versions differ from each other. The same
 * list is in docs/api.md.
 */
const WHY = {
  outside: 'what is around the parts is skipped (RFC 2046); Node.js before 24 refuses it',
  padding: 'white space behind a boundary is skipped (RFC 2046); Node.js refuses it',
  bare: 'a part may end without data and its line end (RFC 2046); Node.js refuses it',
  inside: 'a boundary in a line is data, before the first part a fault; Node.js finds it anywhere',
  boundary: 'a boundary is 1 to 70 of the characters of RFC 2046; Node.js takes any',
  tokens: 'parameters may come in any order, case and as tokens; Node.js before 24 refuses that',
  extended: 'filename* is decoded (RFC 8187) and counts more; Node.js before 24 does not know it',
  strict: 'a header that is no list of fields and parameters is refused; Node.js guesses',
  repeated: 'a repeated field or parameter is refused; Node.js takes one of them',
  encoding: 'Content-Transfer-Encoding is deprecated (RFC 7578) and ignored; Node.js knows base64',
  mark: 'a byte order mark stays in a name and goes from a text; versions of Node.js differ',
  type: 'the type is as the client sent it; the platform drops one that is not ASCII',
}

/** Name, Content-Type, body. */
const URLENCODED_ROWS = [
  ['urlencoded', URLENCODED, 'a=1&b=2'],
  ['urlencoded: nothing', URLENCODED, ''],
  ['urlencoded: twice the same name', URLENCODED, 'a=1&a=2'],
  ['urlencoded: no value, no name, neither', URLENCODED, 'a&b=&=c&=&&'],
  ['urlencoded: plus and percent', URLENCODED, 'a+b=%20%2B+%3d&c=%'],
  ['urlencoded: UTF-8 escaped', URLENCODED, 'n%C3%A4me=%E2%82%AC'],
  ['urlencoded: UTF-8 as it is', URLENCODED, 'näme=€'],
  ['urlencoded: broken UTF-8, escaped', URLENCODED, 'a=%C3&b=%FF%FE'],
  ['urlencoded: broken UTF-8, as it is', URLENCODED, latin1('a=\xe4&b=\xff')],
  ['urlencoded: a byte order mark', URLENCODED, '\ufeffa=1'],
  ['urlencoded: an equals sign in a value', URLENCODED, 'a=b=c'],
  ['urlencoded: line ends', URLENCODED, 'a=1\r\nb=2\r\n'],
  ['urlencoded: NUL', URLENCODED, 'a=%00&\0=b'],
  ['urlencoded: a semicolon', URLENCODED, 'a=1;b=2'],
  ['urlencoded: a charset of UTF-8', `${URLENCODED};charset=UTF-8`, 'a=%C3%A4'],
  ['urlencoded: another charset', `${URLENCODED}; charset=iso-8859-1`, 'a=%E4'],
  ['urlencoded: _charset_', URLENCODED, '_charset_=iso-8859-1&a=%E4'],
  ['urlencoded: in capitals', 'APPLICATION/X-WWW-FORM-URLENCODED', 'a=1'],
  ['urlencoded: but multipart', URLENCODED, form(FIELD)],
  ['urlencoded: 100 KB', URLENCODED, `a=${'x'.repeat(100_000)}&b=1`],
]

/** Name, Content-Type, body; where multipart() differs, why and what it gives. */
const MULTIPART_ROWS = [
  ['no type', undefined, 'a=1'],
  ['no type and no body', undefined, ''],
  ['an empty type', '', 'a=1'],
  ['text', 'text/plain', 'a=1'],
  ['JSON', 'application/json', '{}'],
  ['another multipart', 'multipart/mixed; boundary=b', form(FIELD)],
  ['a type that is none', 'multipart', form(FIELD)],

  ['a field', MULTIPART, form(FIELD)],
  ['two fields of one name', MULTIPART, form(FIELD, part('; name="a"', '2'))],
  ['an empty field', MULTIPART, form(part('; name="a"', ''))],
  ['an empty name', MULTIPART, form(part('; name=""', '1'))],
  ['a field with line ends', MULTIPART, form(part('; name="a"', '\r\n1\n2\r3\r\n'))],
  ['a field in UTF-8', MULTIPART, form(part('; name="a"', 'ä€😀'))],
  ['a field in broken UTF-8', MULTIPART, form(part('; name="a"', latin1('\xe4\xff')))],
  [
    'a field with a byte order mark',
    MULTIPART,
    form(part('; name="a"', '\ufeff1')),
    [WHY.mark, [['a', '1']]],
  ],
  [
    'a field of another charset',
    MULTIPART,
    form(part('; name="a"', latin1('\xe4'), 'Content-Type: text/plain; charset=iso-8859-1\r\n')),
  ],
  [
    '_charset_',
    MULTIPART,
    form(part('; name="_charset_"', 'iso-8859-1'), part('; name="a"', latin1('\xe4'))),
  ],
  ['a field of 100 KB', MULTIPART, form(part('; name="a"', 'x'.repeat(100_000)))],
  ['200 fields', MULTIPART, form(...Array(200).fill(FIELD))],
  ['no part', MULTIPART, form()],
  ['no part, no line end', MULTIPART, '--b--'],

  ['a file', MULTIPART, form(part('; name="f"; filename="x.bin"', Buffer.from([0, 13, 10, 255])))],
  [
    'a file with a type',
    MULTIPART,
    form(part('; name="f"; filename="x.html"', '<p>', 'Content-Type: text/html;charset=utf-8\r\n')),
  ],
  [
    'a type in capitals',
    MULTIPART,
    form(part('; name="f"; filename="x"', '', 'CONTENT-TYPE:  Text/HTML \r\n')),
  ],
  [
    'a type that is not ASCII',
    MULTIPART,
    form(part('; name="f"; filename="x"', '1', 'Content-Type: text/ä\r\n')),
    [WHY.type, [file('f', 'x', 'text/ã¤', '1')]],
  ],
  ['an empty file', MULTIPART, form(part('; name="f"; filename="x"', ''))],
  ['no file chosen', MULTIPART, form(part('; name="f"; filename=""', ''))],
  [
    'two files and a field of one name',
    MULTIPART,
    form(part('; name="a"; filename="x"', '1'), FIELD, part('; name="a"; filename="y"', '2')),
  ],
  ['a file of 300 KB', MULTIPART, form(part('; name="f"; filename="x"', Buffer.alloc(300_000, 7)))],

  ['names in UTF-8', MULTIPART, form(part('; name="ä€"; filename="😀.txt"', '1'))],
  [
    'names in broken UTF-8',
    MULTIPART,
    form(latin1(part('; name="X"', '1').toString().replace('X', '\xe4\xe2\x82'))),
  ],
  [
    'a name with a byte order mark',
    MULTIPART,
    form(part('; name="\ufeffa"', '1')),
    [WHY.mark, [['\ufeffa', '1']]],
  ],
  ['escapes of HTML', MULTIPART, form(part('; name="%22%0D%0A%0d%0a"; filename="%22"', '1'))],
  ['other percents', MULTIPART, form(part('; name="%41%2"; filename="100%"', '1'))],
  ['backslashes', MULTIPART, form(part('; name="a\\b"; filename="C:\\x"', '1'))],
  ['an escaped quote', MULTIPART, form(part('; name="a\\"b"', '1'))],
  ['an equals sign and a semicolon in a name', MULTIPART, form(part('; name="a=b;c"', '1'))],
  ['a quote that does not end', MULTIPART, form(part('; name="a', '1'))],
  ['no name', MULTIPART, form(part('', '1'))],
  ['a filename and no name', MULTIPART, form(part('; filename="x"', '1'))],
  [
    'a name without quotes',
    MULTIPART,
    form(part('; name=a; filename=x.txt', '1')),
    [WHY.tokens, [file('a', 'x.txt', 'text/plain', '1')]],
  ],
  [
    'the filename before the name',
    MULTIPART,
    form(part('; filename="x"; name="a"', '1')),
    [WHY.tokens, [file('a', 'x', 'text/plain', '1')]],
  ],
  [
    'another parameter',
    MULTIPART,
    form(part('; name="a"; size=1', '1')),
    [WHY.tokens, [['a', '1']]],
  ],
  ['parameters in capitals', MULTIPART, form(part(' ;NAME="a"', '1')), [WHY.tokens, [['a', '1']]]],
  ['a semicolon at the end', MULTIPART, form(part('; name="a";', '1')), [WHY.tokens, [['a', '1']]]],
  ['white space before a name', MULTIPART, form(part('; name= "a"', '1')), [WHY.strict, REFUSED]],
  [
    'no semicolon between parameters',
    MULTIPART,
    form(part('; name="a" filename="x"', '1')),
    [WHY.strict, REFUSED],
  ],
  ['a name twice', MULTIPART, form(part('; name="a"; name="b"', '1')), [WHY.repeated, REFUSED]],
  [
    'filename*',
    MULTIPART,
    form(part('; name="a"; filename*=UTF-8\'\'%C3%A4', '1')),
    [WHY.extended, [file('a', 'ä', 'text/plain', '1')]],
  ],
  [
    'filename and filename*',
    MULTIPART,
    form(part('; name="a"; filename=x; filename*=utf-8\'\'%C3%A4', '1')),
    [WHY.extended, [file('a', 'ä', 'text/plain', '1')]],
  ],
  ['filename* of another charset', MULTIPART, form(part("; name=a; filename*=latin1''%E4", '1'))],
  ['filename* with a broken escape', MULTIPART, form(part("; name=a; filename*=utf-8''%E", '1'))],

  [
    'another disposition',
    MULTIPART,
    form('--b\r\nContent-Disposition: file; name="a"\r\n\r\n1\r\n'),
  ],
  ['no disposition', MULTIPART, form('--b\r\nContent-Type: text/plain\r\n\r\n1\r\n')],
  ['no field', MULTIPART, form('--b\r\n\r\n1\r\n')],
  ['no header', MULTIPART, form('--b\r\n1\r\n')],
  [
    'two dispositions',
    MULTIPART,
    form(part('; name="a"', '1', 'Content-Disposition: form-data; name="b"\r\n')),
    [WHY.repeated, REFUSED],
  ],
  ['other fields', MULTIPART, form(part('; name="a"', '1', 'X-A: b\r\nContent-Length: 7\r\n'))],
  ['a field without a colon', MULTIPART, form(part('; name="a"', '1', 'X-A\r\n'))],
  ['a field name that is no token', MULTIPART, form(part('; name="a"', '1', 'X(A): b\r\n'))],
  [
    'white space before a colon',
    MULTIPART,
    form(part('; name="a"', '1', 'X-A : b\r\n')),
    [WHY.strict, REFUSED],
  ],
  ['a control byte in a header', MULTIPART, form(part('; name="a\0"', '1')), [WHY.strict, REFUSED]],
  ['a folded field', MULTIPART, form(part('; name="a"', '1', 'X-A: b\r\n c\r\n'))],
  [
    'base64',
    MULTIPART,
    form(part('; name="a"', 'MTIz', 'Content-Transfer-Encoding: base64\r\n')),
    [WHY.encoding, [['a', 'MTIz']]],
  ],
  [
    'quoted-printable',
    MULTIPART,
    form(part('; name="a"', '=31', 'Content-Transfer-Encoding: quoted-printable\r\n')),
  ],

  ['nothing at all', MULTIPART, ''],
  ['no boundary in the body', MULTIPART, 'a=1'],
  ['no last boundary', MULTIPART, FIELD],
  ['half of the last boundary', MULTIPART, form(FIELD).subarray(0, -5)],
  ['an end inside of a header', MULTIPART, FIELD.subarray(0, 30)],
  ['an end inside of the data', MULTIPART, FIELD.subarray(0, -2)],
  ['another boundary', MULTIPART, form(FIELD).toString().replaceAll('--b', '--c')],
  ['a longer boundary', MULTIPART, form(FIELD).toString().replaceAll('--b', '--bb')],
  ['lines that end in LF', MULTIPART, form(FIELD).toString().replaceAll('\r\n', '\n')],
  ['lines that end in CR', MULTIPART, form(FIELD).toString().replaceAll('\r\n', '\r')],
  ['a boundary that ends in LF', MULTIPART, form(FIELD).toString().replace('--b\r\n', '--b\n')],
  [
    'white space behind a boundary',
    MULTIPART,
    form(FIELD).toString().replace('--b\r\n', '--b \t\r\n'),
    [WHY.padding, [['a', '1']]],
  ],
  [
    'no data, nor its line end',
    MULTIPART,
    form(part('; name="a"', '').subarray(0, -2)),
    [WHY.bare, [['a', '']]],
  ],
  [
    'the text of the boundary as data',
    MULTIPART,
    form(part('; name="f"', 'abc --b-- abc')),
    [WHY.inside, [['f', 'abc --b-- abc']]],
  ],
  ['a boundary line as data', MULTIPART, form(part('; name="a"', '1\r\n--bc\r\n2'))],
  ['an empty line first', MULTIPART, Buffer.concat([bytes('\r\n'), form(FIELD)])],
  ['empty lines at the end', MULTIPART, Buffer.concat([form(FIELD), bytes('\r\n\r\n')])],
  [
    'a preamble',
    MULTIPART,
    Buffer.concat([bytes('Hello.\r\n'), form(FIELD)]),
    [WHY.outside, [['a', '1']]],
  ],
  [
    'an epilogue',
    MULTIPART,
    Buffer.concat([form(FIELD), bytes('Bye.\r\n')]),
    [WHY.outside, [['a', '1']]],
  ],
  [
    'another form as epilogue',
    MULTIPART,
    form(FIELD, '--b--\r\n', part('; name="z"', '2')),
    [WHY.outside, [['a', '1']]],
  ],
  [
    'a boundary behind a preamble in one line',
    MULTIPART,
    Buffer.concat([bytes('Hello.'), form(FIELD)]),
    [WHY.inside, REFUSED],
  ],

  ['no boundary in the type', 'multipart/form-data', form(FIELD)],
  ['an empty boundary', 'multipart/form-data; boundary=', form(FIELD)],
  ['a quoted boundary', 'multipart/form-data; boundary="b"', form(FIELD)],
  ['a quoted boundary with an escape', 'multipart/form-data; boundary="\\b"', form(FIELD)],
  [
    'a boundary of odd characters',
    'multipart/form-data; boundary="a (b),/:=?\'+_.-c"',
    form(FIELD).toString().replaceAll('--b', "--a (b),/:=?'+_.-c"),
  ],
  [
    'a boundary of 70 characters',
    `multipart/form-data; boundary=${'b'.repeat(70)}`,
    form(FIELD)
      .toString()
      .replaceAll('--b', `--${'b'.repeat(70)}`),
  ],
  [
    'a boundary of 71 characters',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    form(FIELD)
      .toString()
      .replaceAll('--b', `--${'b'.repeat(71)}`),
    [WHY.boundary, REFUSED],
  ],
  [
    'a boundary with a character that none has',
    'multipart/form-data; boundary="b*"',
    form(FIELD).toString().replaceAll('--b', '--b*'),
    [WHY.boundary, REFUSED],
  ],
  [
    'parameters around the boundary',
    'multipart/form-data; x=y; boundary=b; charset=utf-8',
    form(FIELD),
  ],
  [
    'another charset of the form',
    `${MULTIPART}; charset=iso-8859-1`,
    form(part('; name="ä"', 'ä')),
  ],
  ['two boundaries', 'multipart/form-data; boundary=b; boundary=c', form(FIELD)],
  ['the boundary in another case', 'multipart/form-data; BOUNDARY=b', form(FIELD)],
  ['the type in another case', 'Multipart/Form-Data; boundary=b', form(FIELD)],
  ['another case of the boundary', 'multipart/form-data; boundary=B', form(FIELD)],
]

/** A form's entries as plain data; what a `File` is is said by its members. */
async function entriesOf(formData) {
  const entries = [...(await formData)].map(async ([name, value]) => {
    if (typeof value === 'string') return [name, value]
    const data = Buffer.from(await value.arrayBuffer()).toString('latin1')
    return file(name, value.name, value.type, data)
  })
  return Promise.all(entries)
}

/** The same of what multipart() gives. The platform's `File` has its type in lower case. */
async function partsOf(request) {
  const entries = []
  for await (const part of multipart(request)) {
    if (!part.isFile) entries.push([part.name, await part.text()])
    else {
      const data = Buffer.from(await part.bytes()).toString('latin1')
      entries.push(file(part.name, part.filename, part.type.toLowerCase(), data))
    }
  }
  return entries
}

const orRefused = (entries) => entries.catch(() => REFUSED)

/** Only the client's fault is a refusal. */
function refusal(error) {
  if (error.status === undefined) throw error
  return REFUSED
}

/** A body of bytes has no type of its own. */
const headersOf = (type) => (type === undefined ? {} : { 'content-type': type })

/** What the platform makes of a body. */
function platformEntries(type, body) {
  const headers = headersOf(type)
  return orRefused(entriesOf(new globalThis.Response(bytes(body), { headers }).formData()))
}

/** A server that says what it makes of a form, and how to ask it. */
function open(t) {
  const readers = {
    '/form-data': (request) => orRefused(entriesOf(request.formData())),
    '/multipart': (request) => partsOf(request).catch(refusal),
  }
  const server = serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => Response.json(await readers[request.rawTarget](request)),
  })
  t.after(() => server.close({ timeout: 0 }))
  return async (path, type, body) => {
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: headersOf(type),
      body: bytes(body),
    })
    return answer.json()
  }
}

test('each row has a name of its own', () => {
  const names = [...URLENCODED_ROWS, ...MULTIPART_ROWS].map(([name]) => name)
  assert.equal(new Set(names).size, names.length)
})

test('formData() is that of the platform', async (t) => {
  const ask = open(t)
  for (const [name, type, body] of [...URLENCODED_ROWS, ...MULTIPART_ROWS]) {
    await t.test(name, async () => {
      assert.deepEqual(await ask('/form-data', type, body), await platformEntries(type, body))
    })
  }
})

test('multipart() gives the same, or says why not', async (t) => {
  const ask = open(t)
  for (const [name, type, body, difference] of MULTIPART_ROWS) {
    await t.test(name, async () => {
      const [why, expected] = difference ?? ['as the platform', await platformEntries(type, body)]
      assert.deepEqual(await ask('/multipart', type, body), expected, why)
    })
  }
})

/** Numbers that are the same in each run (mulberry32). */
function numbers(seed) {
  let state = seed
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

/** A stream of a body in chunks of some size. */
const streamOf = (body, size) =>
  ReadableStream.from(
    Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
      Uint8Array.from(body.subarray(index * size, (index + 1) * size)),
    ),
  )

test('of forms that are broken at random multipart() never reads one in another way', async () => {
  const whole = form(
    FIELD,
    part('; name="f"; filename="x%22.txt"', 'ab\r\nc', 'Content-Type: a/b\r\n'),
  )
  const text = whole.toString().replaceAll('--b', '--zQ')
  const pieces = [
    ...['\r\n', '\r', '\n', '--zQ', '--', '-', '"', ';', ' ', '=', ':', '%0A', '\\', '\0'],
    ...['name="', "filename*=utf-8''x"],
  ]
  const type = 'multipart/form-data; boundary=zQ'
  const headers = new Headers({ 'content-type': type })
  const read = (body, size) => partsOf({ headers, body: streamOf(body, size) }).catch(refusal)
  const below = numbers(1)
  let taken = 0
  for (let round = 0; round < 2000; round++) {
    let broken = text
    for (let changes = 1 + below(3); changes > 0; changes--) {
      const at = below(broken.length)
      const piece = below(3) === 0 ? '' : pieces[below(pieces.length)]
      broken = broken.slice(0, at) + piece + broken.slice(at + below(3))
    }
    const body = latin1(broken)
    const found = await read(body, body.length)
    assert.deepEqual(await read(body, 1 + below(body.length)), found, JSON.stringify(broken))
    const platform = await platformEntries(type, body)
    if (found === REFUSED || platform === REFUSED) continue
    assert.deepEqual(found, platform, JSON.stringify(broken))
    taken++
  }
  assert.ok(taken > 200, `only ${taken} are taken by both`)
})

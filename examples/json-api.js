// A small JSON API over a map: list, read, create, delete. Errors are JSON, too.
import { Response, serve } from 'barewire'

const notes = new Map([[1, { id: 1, text: 'buy milk' }]])
let nextId = 2

const server = serve(process.env.PORT ?? 3000, handle, {
  maxBodySize: 64 * 1024,
  error(error) {
    if (error instanceof SyntaxError) return problem(400, 'the body is not JSON')
    console.error(error)
    return problem(500, 'something went wrong')
  },
})

async function handle(request) {
  const [, collection, id] = new URL(request.url).pathname.split('/')
  if (collection !== 'notes') return problem(404, 'there are only /notes')
  if (id === undefined) return handleAll(request)

  const note = notes.get(Number(id))
  if (note === undefined) return problem(404, `there is no note ${id}`)
  if (request.method === 'GET') return Response.json(note)
  if (request.method !== 'DELETE') return notAllowed('GET, DELETE')
  notes.delete(note.id)
  return new Response(null, { status: 204 })
}

async function handleAll(request) {
  if (request.method === 'GET') return Response.json([...notes.values()])
  if (request.method !== 'POST') return notAllowed('GET, POST')
  const { text } = (await request.json()) ?? {}
  if (typeof text !== 'string') return problem(422, 'a note needs a text')
  const note = { id: nextId++, text }
  notes.set(note.id, note)
  return Response.json(note, { status: 201, headers: { location: `/notes/${note.id}` } })
}

const problem = (status, message) => Response.json({ error: message }, { status })

const notAllowed = (allow) =>
  Response.json({ error: `use one of ${allow}` }, { status: 405, headers: { allow } })

console.log(`listening on ${server.url}`)
console.log(`try: curl ${server.url}/notes --json '{"text":"call home"}'`)

/** The client of the database and its pool, the same for every server. */
import pg from 'pg'

const pool = new pg.Pool({ max: 16, idleTimeoutMillis: 0 })

const QUERY = { name: 'item', text: 'select id, name from item where id = $1' }

/** @param {number} id */
export async function readRow(id) {
  const { rows } = await pool.query({ ...QUERY, values: [id] })
  return rows[0]
}

/** The reasons why a device cannot get in, each made with real programs: what every side that can see it says. */
// needs: openssl faketime mosquitto mosquitto_pub curl gnutls-cli
// one database: what is judged does not depend on it
import { test } from 'node:test'
import { allRows } from './all-rows.ts'
import { startBed } from './bed.ts'

test('why a device cannot get in', async (t) => {
  const bed = await startBed(t)
  for (const { number, title, run, needs } of allRows) {
    await t.test(`${number}: ${title}`, { skip: needs === undefined ? false : bed.lacks(needs) }, () => run(bed))
  }
})

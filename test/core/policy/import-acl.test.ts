/** Access lists of Mosquitto as policies: what both know decides the same, and of the rest it is said that it does not. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compilePolicy } from '../../../src/core/policy/compile.ts'
import { parsePolicy } from '../../../src/core/policy/file/parse.ts'
import { importMosquittoAcl } from '../../../src/core/policy/import-acl.ts'
import type { Action } from '../../../src/core/policy/rights.ts'
import { imaginedIdentity, usualSubject } from '../../../src/core/policy/subjects.ts'

function decided(acl: string, id: string, action: Action, topic: string, clientId = id): boolean {
  const compiled = compilePolicy(parsePolicy(importMosquittoAcl(acl).source))
  return compiled.rightsOf(usualSubject(imaginedIdentity(id), clientId), 0).explain(action, topic).allowed
}

const acl = `
# the plant
topic read public/#

user pump-7
topic write plant/pump-7/state
topic read plant/all orders/#
topic $SYS/broker/uptime
topic deny plant/all orders/secret

user it's not an id
topic read other/#

user Dash.board
topic readwrite plant/#
pattern write own/%u/%c/up
pattern read own/%u/down/#
`

suite('an access list of Mosquitto', () => {
  test('gives each user what it gave', () => {
    assert.equal(decided(acl, 'pump-7', 'connect', ''), true)
    assert.equal(decided(acl, 'pump-7', 'publish', 'plant/pump-7/state'), true)
    assert.equal(decided(acl, 'pump-7', 'retain', 'plant/pump-7/state'), true)
    assert.equal(decided(acl, 'pump-7', 'will', 'plant/pump-7/state'), true)
    assert.equal(decided(acl, 'pump-7', 'receive', 'plant/pump-7/state'), false)
    assert.equal(decided(acl, 'pump-7', 'subscribe', 'plant/all orders/#'), true)
    assert.equal(decided(acl, 'pump-7', 'publish', 'plant/all orders/1'), false)
    assert.equal(decided(acl, 'pump-7', 'receive', 'plant/all orders/1'), true)
    assert.equal(decided(acl, 'pump-7', 'receive', 'plant/all orders/secret'), false)
    assert.equal(decided(acl, 'pump-7', 'receive', '$SYS/broker/uptime'), true)
    assert.equal(decided(acl, 'Dash.board', 'publish', 'plant/x'), true)
    assert.equal(decided(acl, 'pump-8', 'publish', 'plant/pump-7/state'), false)
  })

  test('gives everybody its patterns, with the id for the user and the client id', () => {
    assert.equal(decided(acl, 'pump-8', 'publish', 'own/pump-8/tool/up', 'tool'), true)
    assert.equal(decided(acl, 'pump-8', 'publish', 'own/pump-7/tool/up', 'tool'), false)
    assert.equal(decided(acl, 'pump-8', 'subscribe', 'own/pump-8/down/+'), true)
    assert.equal(decided(acl, 'pump-8', 'subscribe', 'own/+/down/+'), false)
  })

  test('says of each line that could not be carried over why not', () => {
    const more = `${acl}topic read a/#/b\npattern read \${x}\ntopic\nlog all\n`
    const said = importMosquittoAcl(more).notes.map(({ line, message }) => `${line} ${message}`)
    assert.equal(said.length, 8, said.join('\n'))
    assert.match(said[0] ?? '', /^3 is for clients without a name/)
    assert.match(said[1] ?? '', /^11 "it's not an id" cannot be the id/)
    assert.match(said[2] ?? '', /^12 belongs to a user that was left out/)
    assert.match(said[3] ?? '', /^18 "a\/#\/b" is no topic filter/)
    assert.match(said[4] ?? '', /^19 .*begins a variable/)
    assert.match(said[5] ?? '', /^20 names no topic/)
    assert.match(said[6] ?? '', /^21 "log" is none of user, topic and pattern/)
    assert.match(said[7] ?? '', /^0 Mosquitto takes any subscription/)
  })

  test('may name users whose roles would be called the same, and topics with quotes', () => {
    const text = "user A.b\r\ntopic read it's/a\r\nuser a-b\r\ntopic read b/#\r\n"
    assert.equal(decided(text, 'A.b', 'receive', "it's/a"), true)
    assert.equal(decided(text, 'A.b', 'receive', 'b/x'), false)
    assert.equal(decided(text, 'a-b', 'receive', 'b/x'), true)
  })

  test('that is empty lets everybody connect and nobody do anything', () => {
    const { source, notes } = importMosquittoAcl('')
    assert.deepEqual(notes, [])
    assert.equal(parsePolicy(source).bindings.length, 1)
    assert.equal(decided('', 'pump-7', 'publish', 'x'), false)
  })
})

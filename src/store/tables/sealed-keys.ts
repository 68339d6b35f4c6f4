import type { SealedKeyReader, SealedKeys } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

export function sealedKeyReader(access: Access): SealedKeyReader {
  return {
    async find(name) {
      const row = await access().selectFrom('sealed_keys').select('content').where('name', '=', name).executeTakeFirst()
      return row?.content ?? null
    },
    async names() {
      const rows = await access().selectFrom('sealed_keys').select('name').orderBy('name').execute()
      return rows.map(({ name }) => name)
    },
  }
}

export function sealedKeys(access: Access): SealedKeys {
  return {
    ...sealedKeyReader(access),
    async insert(name, content) {
      const result = await access()
        .insertInto('sealed_keys')
        .values({ name, content })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    async remove(name) {
      await access().deleteFrom('sealed_keys').where('name', '=', name).execute()
    },
  }
}

import type { SettingReader, Settings } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

export function settingReader(access: Access): SettingReader {
  return {
    async find(name) {
      const row = await access().selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
      return row?.value ?? null
    },
  }
}

export function settings(access: Access): Settings {
  return {
    ...settingReader(access),
    async set(name, value) {
      await access()
        .insertInto('settings')
        .values({ name, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute()
    },
    async remove(name) {
      await access().deleteFrom('settings').where('name', '=', name).execute()
    },
  }
}

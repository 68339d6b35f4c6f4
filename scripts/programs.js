// Which programs this machine has. Plain JavaScript for the Node of the machine.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian keeps servers such as mosquitto and PostgreSQL where a user's PATH does not look. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', ...postgresFolders()]

function postgresFolders() {
  try {
    return readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}

/** A library counts by the beginning of its file's name, wherever this architecture keeps it; one in a folder there by its whole name. */
function isLibraryInstalled(name) {
  try {
    const places = readdirSync('/usr/lib').filter((folder) => folder.includes('-linux-'))
    if (name.includes('/')) return places.some((folder) => existsSync(join('/usr/lib', folder, name)))
    return places.some((folder) => readdirSync(join('/usr/lib', folder)).some((file) => file.startsWith(name)))
  } catch {
    return false
  }
}

export function isInstalled(name) {
  if (name.endsWith('.so')) return isLibraryInstalled(name)
  if (name.endsWith('.py')) return existsSync(join('/usr/lib/python3/dist-packages', name))
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

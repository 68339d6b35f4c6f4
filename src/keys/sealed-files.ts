/** Where the sealed files of a key ring stand: a folder, or the registry that several processes share. */
export interface SealedFiles {
  /** How messages name the place. */
  readonly place: string
  /**
   * @returns null where there is none
   * @throws HubError where the place cannot be read
   */
  read(name: string): Promise<string | null>
  /**
   * Writes a file that must not exist yet; it is on disk when this is fulfilled.
   *
   * @returns false, and nothing is changed, where there is one of that name
   * @throws HubError where the place cannot be written
   */
  writeNew(name: string, text: string): Promise<boolean>
  /**
   * Removes a file, on disk too; nothing happens where there is none.
   *
   * @throws HubError where the place cannot be written
   */
  remove(name: string): Promise<void>
  names(): Promise<readonly string[]>
}

/** Runs work for 0, 1, … count − 1, with so many at one time. @returns how many seconds it took */
export async function many(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<number> {
  const startMs = performance.now()
  let next = 0
  const goOn = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, goOn))
  return (performance.now() - startMs) / 1000
}

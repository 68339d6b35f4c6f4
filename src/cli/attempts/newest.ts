/** The newest of a list that the hub looks through in bounded steps. */
import type { PageView } from '../../api-schema/views.ts'
import type { HubApi } from '../api-client.ts'

/**
 * Asks until there are as many, or no more. A page may hold fewer than were asked for, where filters leave few of those that were
 * looked at.
 */
export async function newest<T>(
  hub: HubApi,
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
  count: number,
): Promise<PageView<T>> {
  const items: T[] = []
  let after: string | undefined
  for (;;) {
    const page = await hub.get<PageView<T>>(path, { ...query, limit: count - items.length, after })
    items.push(...page.items)
    if (page.next === null || items.length >= count) return { items, next: page.next }
    after = page.next
  }
}

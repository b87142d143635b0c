// Before mails are archived: what would send nothing any more. One mail asks from its page, many from a list.
import { call, type Schemas } from '@/api'
import { formatList, formatNumber, t } from '@/i18n'
import { type Act, archiving, given } from '@/jobs/useBulk'
import { confirm, toastError } from '@/ui'

const most = 5 // that are named; more are counted

/** The first of some names, and how many more there are. */
function named(names: string[], total = names.length): string {
  const first = names.slice(0, most)
  const more = total - first.length
  return formatList(more > 0 ? [...first, t('content.archive_more', { n: formatNumber(more) })] : first)
}

const senders = (users: Schemas['User'][]) =>
  named(users.map((u) => t('content.sender', { noun: t(`segments.noun.${u.noun}`), name: u.name })))

/** Whether a mail may be archived: at once if nothing sends it, else asked, with what would send nothing any more. */
export async function mayArchive(id: string, name: string): Promise<boolean> {
  try {
    const { items } = await call('get', '/api/v1/templates/{id}/users', { path: { id } })
    if (items.length === 0) return true
    return await confirm({
      title: t('content.archive_title', { name }),
      text: t('content.archive_used', { users: senders(items) }),
      action: t('action.archive'),
      danger: true,
    })
  } catch (err) {
    toastError(err)
    return false
  }
}

/** The same for many: the act of a list of mails, which asks only if something sends one of them. */
export const archivingMails = (archived: boolean): Act => ({
  ...archiving('template', archived),
  sure: archived
    ? undefined
    : async ({ act, ids, query }, count) => {
        const { used, items } = await call('post', '/api/v1/bulk-acts/uses', {
          body: { act, ...(ids ? { ids } : { query: given(query ?? {}) }) },
        })
        if (used === 0) return null
        const mails = named(
          items.map((x) => t('bulk_sure.used_by', { name: x.name, users: senders(x.users) })),
          used,
        )
        return {
          title: t('bulk_sure.template_archive', { count, n: formatNumber(count) }),
          text: t('bulk_sure.mails_used', { count: used, n: formatNumber(used), mails }),
          action: t('action.archive'),
          danger: true,
        }
      },
})

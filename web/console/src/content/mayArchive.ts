import { call } from '@/api'
import { formatList, t } from '@/i18n'
import { confirm, toastError } from '@/ui'

const most = 5 // that are named; more are counted

/** Whether a mail may be archived: at once if nothing sends it, else asked, with what would send nothing any more. */
export async function mayArchive(id: string, name: string): Promise<boolean> {
  try {
    const { items } = await call('get', '/api/v1/templates/{id}/users', { path: { id } })
    if (items.length === 0) return true
    const named = items.slice(0, most).map((u) => t('content.sender', { noun: t(`segments.noun.${u.noun}`), name: u.name }))
    const more = items.length - named.length
    return await confirm({
      title: t('content.archive_title', { name }),
      text: t('content.archive_used', { users: formatList(more > 0 ? [...named, t('content.archive_more', { n: more })] : named) }),
      action: t('action.archive'),
      danger: true,
    })
  } catch (err) {
    toastError(err)
    return false
  }
}

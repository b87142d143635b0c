import { UserMinus } from 'lucide-react'
import { call, refresh } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { Button, toast, toastError, toastUndo } from '@/ui'

const atOnce = 5000 // rows a call
const shown = ['/api/v1/lists', '/api/v1/jobs']

/** Takes the selected people off a list, or all of them; it can be undone. */
export function RemoveMembers({
  id,
  name,
  ids,
  all,
  onDone,
}: {
  id: string
  name: string
  ids: string[]
  all?: number
  onDone: () => void
}) {
  const t = useT()
  const takeBack = async (undo: () => Promise<unknown>) => {
    try {
      await undo()
      await refresh(shown)
      toast(t('people.undone', { name }))
    } catch (err) {
      toastError(err)
    }
  }
  const removePicked = async () => {
    const gone: string[] = []
    for (let from = 0; from < ids.length; from += atOnce) {
      const answer = await call('post', '/api/v1/lists/{id}/remove', { path: { id }, body: { rows: ids.slice(from, from + atOnce) } })
      gone.push(...(answer.rows ?? []).filter((r) => r.outcome === 'removed').map((r) => r.row))
    }
    toastUndo(t('lists.taken_off', { count: gone.length, n: formatNumber(gone.length), name }), () =>
      takeBack(async () => {
        for (let from = 0; from < gone.length; from += atOnce)
          await call('post', '/api/v1/lists/{id}/members', { path: { id }, body: { rows: gone.slice(from, from + atOnce) } })
      }),
    )
  }
  const removeAll = async (n: number) => {
    const job = await call('post', '/api/v1/lists/{id}/changes', { path: { id }, body: { who: { set: id }, remove: true } })
    toastUndo(t('lists.taking_off', { n: formatNumber(n), name }), () =>
      takeBack(() => call('post', '/api/v1/list-changes/{id}/undo', { path: { id: job.id } })),
    )
  }
  const run = async () => {
    onDone()
    try {
      await (all === undefined ? removePicked() : removeAll(all))
      await refresh(shown)
    } catch (err) {
      toastError(err)
    }
  }
  return (
    <Button size="compact-sm" variant="light" leftSection={<UserMinus size={14} />} onClick={() => void run()}>
      {t('lists.remove')}
    </Button>
  )
}

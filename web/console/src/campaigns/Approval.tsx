import { useRead } from '@/api'
import { useCan, useSession } from '@/app/session'
import { useT } from '@/i18n'
import { Alert, Note } from '@/ui'

interface Asked {
  status: string
  requested_by?: string
  approved_by?: string
}

/** Who asked for it to go out and who agreed, where the workspace wants a second person. */
export function Approval({ of: x }: { of: Asked }) {
  const t = useT()
  const me = useSession().user.id
  const asked = Boolean(x.requested_by)
  const staff = useRead('/api/v1/staff', { query: { limit: 500 } }, { enabled: useCan()('staff.read') && asked })
  if (!x.requested_by) return null
  const name = (id: string) => staff.data?.items?.find((m) => m.id === id)?.name ?? t('approval.someone')
  if (x.status === 'review')
    return <Alert color="info">{x.requested_by === me ? t('approval.yours') : t('approval.asked', { name: name(x.requested_by) })}</Alert>
  return x.approved_by ? <Note>{t('approval.approved', { asked: name(x.requested_by), approved: name(x.approved_by) })}</Note> : null
}

/** It may be approved by whoever did not ask for it. */
export function useMayApprove(): (x: Asked) => boolean {
  const me = useSession().user.id
  return (x) => x.requested_by !== me
}

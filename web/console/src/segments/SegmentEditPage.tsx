import { useRead, useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo, useParam } from '@/lib/route'
import { ListPage, Loaded, type Rule, toast } from '@/ui'
import { SegmentForm } from './SegmentForm'

/** Changing a segment; who would enter and leave is shown before it is saved. */
export default function SegmentEditPage() {
  const t = useT()
  const go = useGo()
  const id = useParam('id')
  const segment = useRead('/api/v1/segments/{id}', { path: { id } })
  const update = useSend('patch', '/api/v1/segments/{id}', { refresh: ['/api/v1/segments'] })
  return (
    <ListPage
      title={t('segments.edit')}
      lead={t('segments.new_lead')}
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: `/segments/${id}`, label: segment.data?.name ?? '…' },
      ]}
    >
      <Loaded of={segment}>
        {(s) => (
          <SegmentForm
            key={s.id}
            segment={s}
            keep={s.id}
            rule={s.rule as Rule}
            onCancel={() => go(`/segments/${id}`)}
            save={(v) => update.mutateAsync({ path: { id }, body: { ...v, rule: v.rule as never } })}
            onSaved={(saved, more) => {
              toast(t('segments.saved', { name: saved.name }))
              if (!more) go(`/segments/${id}`)
            }}
          />
        )}
      </Loaded>
    </ListPage>
  )
}

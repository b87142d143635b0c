import { useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo, useUrlState } from '@/lib/route'
import { ruleFrom } from '@/standing/rules'
import { ListPage } from '@/ui'
import { SegmentForm } from './SegmentForm'

/** A new segment; the count follows the rule as it is edited. */
export default function SegmentNewPage() {
  const t = useT()
  const go = useGo()
  const [{ rule }] = useUrlState({ rule: '' }) // from a figure that leads here
  const create = useSend('post', '/api/v1/segments', { refresh: ['/api/v1/segments'] })
  return (
    <ListPage title={t('segments.new')} lead={t('segments.new_lead')} crumbs={[{ to: '/segments', label: t('nav.segments') }]}>
      <SegmentForm
        rule={ruleFrom(rule)}
        keep={rule ? undefined : 'new'}
        onCancel={() => go('/segments')}
        save={(v) => create.mutateAsync({ body: { name: v.name, description: v.description, rule: v.rule as never } })}
        onSaved={({ id }, more) => go(`/segments/${id}${more ? '/edit' : ''}`)}
      />
    </ListPage>
  )
}

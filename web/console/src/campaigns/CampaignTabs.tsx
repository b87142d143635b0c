import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { PageTabs } from '@/ui'

const paths = { list: '/campaigns', series: '/campaigns/series', plan: '/campaigns/plan' }

/** The three views of campaigns: one by one, coming again, and on the calendar. */
export function CampaignTabs({ at }: { at: keyof typeof paths }) {
  const t = useT()
  const go = useGo()
  return (
    <PageTabs
      label={t('nav.campaigns')}
      value={at}
      onChange={(id) => go(paths[id as keyof typeof paths])}
      tabs={(['list', 'series', 'plan'] as const).map((id) => ({ id, label: t(`campaigns.tab_${id}`) }))}
    />
  )
}

import { Lock } from 'lucide-react'
import { useRead } from '@/api'
import { useT } from '@/i18n'
import { useParam } from '@/lib/route'
import { EmptyState, LinkButton, Loaded } from '@/ui'
import { CampaignForm } from './CampaignForm'
import { editable } from './draft'

export default function CampaignEditPage() {
  const t = useT()
  const campaign = useRead('/api/v1/campaigns/{id}', { path: { id: useParam('id') } })
  return (
    <Loaded of={campaign}>
      {(c) =>
        editable(c) ? (
          <CampaignForm campaign={c} />
        ) : (
          <EmptyState
            whole
            icon={Lock}
            title={t('campaigns.fixed', { name: c.name })}
            text={t('campaigns.fixed_help')}
            action={<LinkButton to={`/campaigns/${c.id}`}>{t('campaigns.open')}</LinkButton>}
          />
        )
      }
    </Loaded>
  )
}

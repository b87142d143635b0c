import { useRead } from '@/api'
import { useParam } from '@/lib/route'
import { Loaded } from '@/ui'
import { CampaignForm } from './CampaignForm'

export default function CampaignEditPage() {
  const campaign = useRead('/api/v1/campaigns/{id}', { path: { id: useParam('id') } })
  return <Loaded of={campaign}>{(c) => <CampaignForm campaign={c} />}</Loaded>
}

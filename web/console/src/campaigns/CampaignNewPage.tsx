import { CampaignForm } from './CampaignForm'

export default function CampaignNewPage() {
  return <CampaignForm />
}

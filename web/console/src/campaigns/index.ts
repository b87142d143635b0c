import { Megaphone } from 'lucide-react'
import type { Area } from '@/lib/route'

export const campaigns: Area = {
  id: 'campaigns',
  path: '/campaigns',
  title: 'nav.campaigns',
  icon: Megaphone,
  key: 'c',
  permission: 'campaigns.read',
  aliases: 'mailing newsletter huodong 活动 配信 haishin kyanpeen キャンペーン',
  screens: [
    { path: '/campaigns', load: () => import('./CampaignListPage') },
    { path: '/campaigns/new', load: () => import('./CampaignNewPage'), permission: 'campaigns.write' },
    { path: '/campaigns/plan', load: () => import('./PlanPage') },
    { path: '/campaigns/series', load: () => import('@/series/SeriesListPage') },
    { path: '/campaigns/series/new', load: () => import('@/series/SeriesEditPage'), permission: 'campaigns.write' },
    { path: '/campaigns/series/$id', load: () => import('@/series/SeriesDetailPage') },
    { path: '/campaigns/series/$id/edit', load: () => import('@/series/SeriesEditPage'), permission: 'campaigns.write' },
    { path: '/campaigns/$id', load: () => import('./CampaignDetailPage') },
    { path: '/campaigns/$id/edit', load: () => import('./CampaignEditPage'), permission: 'campaigns.write' },
  ],
  actions: [
    { id: 'campaign.plan', title: 'plan.title', aliases: 'calendar rili jihua karendaa keikaku', to: '/campaigns/plan' },
    {
      id: 'campaign.series',
      title: 'series.title',
      aliases: 'recurring newsletter feed rss xilie shiriizu teiki',
      to: '/campaigns/series',
    },
    {
      id: 'series.new',
      title: 'series.new',
      aliases: 'create series recurring newsletter xinjian xilie shinki shiriizu sakusei',
      permission: 'campaigns.write',
      to: '/campaigns/series/new',
    },
    {
      id: 'campaign.new',
      title: 'campaigns.new',
      aliases: 'create campaign xinjian huodong shinki kyanpeen sakusei',
      permission: 'campaigns.write',
      to: '/campaigns/new',
    },
  ],
  things: [
    { list: '/api/v1/campaigns', title: 'nav.campaigns', path: '/campaigns' },
    { list: '/api/v1/series', title: 'series.title', path: '/campaigns/series' },
  ],
}

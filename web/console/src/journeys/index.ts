import { Route } from 'lucide-react'
import type { Area } from '@/lib/route'

export const journeys: Area = {
  id: 'journeys',
  path: '/journeys',
  title: 'nav.journeys',
  icon: Route,
  key: 'j',
  permission: 'journeys.read',
  aliases: 'automation flow lvcheng 旅程 ジャーニー jaanii journey',
  screens: [
    { path: '/journeys', load: () => import('./JourneyListPage') },
    { path: '/journeys/library', load: () => import('./ReadyPage') },
    { path: '/journeys/$id/edit', load: () => import('./JourneyEditPage'), whole: true },
    { path: '/journeys/$id/simulate', load: () => import('./SimulatePage') },
    { path: '/journeys/rounds/$round', load: () => import('./RoundPage') },
    { path: '/journeys/$id', load: () => import('./JourneyDetailPage') },
  ],
  actions: [
    {
      id: 'journey.new',
      title: 'journeys.new',
      aliases: 'create automation flow xinjian lvcheng shinki jaanii sakusei',
      permission: 'journeys.write',
      to: '/journeys?new=yes',
    },
    {
      id: 'journey.library',
      title: 'journeys.library',
      aliases: 'ready-made scenarios templates library moban changjing shinario tenpureeto',
      to: '/journeys/library',
    },
  ],
  things: [{ list: '/api/v1/journeys', title: 'nav.journeys', path: '/journeys' }],
}

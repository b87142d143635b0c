import { Map as MapIcon } from 'lucide-react'
import type { Area } from '@/lib/route'

export const maps: Area = {
  id: 'maps',
  path: '/journey-maps',
  title: 'maps.title',
  icon: MapIcon,
  permission: 'segments.read',
  aliases: 'journey map customer experience sankey ditu 旅程地图 ジャーニーマップ mappu',
  nav: false,
  within: 'segments',
  screens: [
    { path: '/journey-maps', load: () => import('./MapListPage') },
    { path: '/journey-maps/$id', load: () => import('./MapPage') },
  ],
  actions: [
    {
      id: 'map.new',
      title: 'maps.new',
      aliases: 'create customer journey map xinjian ditu shinki mappu sakusei',
      permission: 'segments.write',
      to: '/journey-maps?new=yes',
    },
  ],
  things: [{ list: '/api/v1/journey-maps', title: 'maps.title', path: '/journey-maps' }],
}

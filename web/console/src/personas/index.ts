import { UserSquare2 } from 'lucide-react'
import type { Area } from '@/lib/route'

export const personas: Area = {
  id: 'personas',
  path: '/personas',
  title: 'personas.title',
  icon: UserSquare2,
  permission: 'segments.read',
  aliases: 'persona archetype renwu huaxiang 用户画像 人物 ペルソナ perusona',
  nav: false,
  within: 'segments',
  screens: [
    { path: '/personas', load: () => import('./PersonaListPage') },
    { path: '/personas/new', load: () => import('./PersonaNewPage'), permission: 'segments.write' },
    { path: '/personas/$id', load: () => import('./PersonaDetailPage') },
    { path: '/personas/$id/edit', load: () => import('./PersonaEditPage'), permission: 'segments.write' },
  ],
  actions: [
    {
      id: 'persona.new',
      title: 'personas.new',
      aliases: 'create persona xinjian renwu shinki perusona sakusei',
      permission: 'segments.write',
      to: '/personas/new',
    },
  ],
  things: [{ list: '/api/v1/personas', title: 'personas.title', path: '/personas' }],
}

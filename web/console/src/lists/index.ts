import { ListChecks } from 'lucide-react'
import type { Area } from '@/lib/route'

export const lists: Area = {
  id: 'lists',
  path: '/lists',
  title: 'lists.title',
  icon: ListChecks,
  permission: 'segments.read',
  aliases: 'mingdan 名单 リスト risuto upload',
  nav: false,
  within: 'segments',
  screens: [
    { path: '/lists', load: () => import('./ListsPage') },
    { path: '/lists/$id', load: () => import('./ListDetailPage') },
  ],
  actions: [
    {
      id: 'list.new',
      title: 'lists.make',
      aliases: 'create list of people xinjian mingdan shinki risuto sakusei',
      permission: 'segments.write',
      to: '/lists?new=yes',
    },
  ],
  things: [{ list: '/api/v1/lists', title: 'lists.title', path: '/lists' }],
}

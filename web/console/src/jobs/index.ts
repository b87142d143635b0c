import { ListChecks } from 'lucide-react'
import type { Area } from '@/lib/route'

export const jobs: Area = {
  id: 'jobs',
  path: '/jobs',
  title: 'nav.jobs',
  icon: ListChecks,
  permission: 'people.read',
  nav: false,
  aliases: 'jobs background import export houtai 后台 処理 shori',
  screens: [{ path: '/jobs', load: () => import('./JobsPage') }],
}

import { Users } from 'lucide-react'
import type { Area } from '@/lib/route'

export const people: Area = {
  id: 'people',
  path: '/people',
  title: 'nav.people',
  icon: Users,
  key: 'p',
  permission: 'people.read',
  aliases: 'customers contacts renyuan kehu hito kokyaku 客户 顧客',
  screens: [
    { path: '/people', load: () => import('./PeopleListPage') },
    { path: '/people/duplicates', load: () => import('./DuplicatesPage') },
    { path: '/people/$id', load: () => import('./PersonDetailPage') },
  ],
}

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
    { path: '/people/import', load: () => import('./ImportPage'), permission: 'import.write' },
    { path: '/people/import/mappings', load: () => import('./ImportMappingsPage'), permission: 'import.write' },
    { path: '/people/import/mappings/$id', load: () => import('./ImportMappingPage'), permission: 'import.write' },
    { path: '/people/duplicates', load: () => import('./DuplicatesPage') },
    { path: '/people/why', load: () => import('./WhyPage') },
    { path: '/people/$id', load: () => import('./PersonDetailPage') },
  ],
  actions: [
    {
      id: 'people.new',
      title: 'people.new',
      aliases: 'add create customer contact person xinjian kehu tianjia 新建 kokyaku tsuika 追加',
      permission: 'people.write',
      to: '/people?new=yes',
    },
    {
      id: 'people.duplicates',
      title: 'people.duplicates',
      aliases: 'duplicates merge same person chongfu hebing 重复 chofuku juufuku 重複',
      permission: 'people.read',
      to: '/people/duplicates',
    },
    {
      id: 'people.import',
      title: 'imports.title',
      aliases: 'import csv upload bring migrate daoru 导入 torikomi 取り込み インポート',
      permission: 'import.write',
      to: '/people/import',
    },
    {
      id: 'people.why',
      title: 'why.title',
      aliases: 'why not received got mail explain reason weishenme 为什么 naze なぜ 理由',
      permission: 'people.read',
      to: '/people/why',
    },
  ],
}

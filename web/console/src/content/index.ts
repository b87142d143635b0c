import { Mail } from 'lucide-react'
import type { Area } from '@/lib/route'

export const content: Area = {
  id: 'content',
  path: '/content',
  title: 'nav.content',
  icon: Mail,
  key: 'm',
  permission: 'content.read',
  aliases: 'content mail template brand snippet moban 模板 邮件 品牌 テンプレート ブランド naiyou コンテンツ',
  screens: [
    { path: '/content', load: () => import('./TemplateListPage') },
    { path: '/content/new', load: () => import('./TemplateNewPage'), permission: 'content.write' },
    { path: '/content/languages', load: () => import('./LanguagesPage') },
    { path: '/content/brand', load: () => import('./BrandPage') },
    { path: '/content/snippets', load: () => import('./SnippetListPage') },
    { path: '/content/snippets/$key', load: () => import('./SnippetEditPage'), whole: true },
    { path: '/content/$id', load: () => import('./TemplateEditPage'), whole: true },
  ],
  actions: [
    { id: 'content.brand', title: 'brand.title', aliases: 'voice colours logo fonts pinpai burando', to: '/content/brand' },
    { id: 'content.snippets', title: 'snippets.title', aliases: 'reuse partial pianduan sunipetto', to: '/content/snippets' },
    {
      id: 'snippet.new',
      title: 'snippets.new',
      aliases: 'create snippet partial xinjian pianduan shinki sunipetto sakusei',
      permission: 'content.write',
      to: '/content/snippets?new=yes',
    },
    {
      id: 'content.new',
      title: 'content.new_mail',
      aliases: 'create mail template xinjian youjian meeru shinki sakusei',
      permission: 'content.write',
      to: '/content/new',
    },
  ],
  things: [
    { list: '/api/v1/templates', title: 'nav.content', path: '/content' },
    { list: '/api/v1/snippets', title: 'snippets.title', path: '/content/snippets' },
  ],
}

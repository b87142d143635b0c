import { Filter } from 'lucide-react'
import type { Area } from '@/lib/route'

export const segments: Area = {
  id: 'segments',
  path: '/segments',
  title: 'nav.segments',
  icon: Filter,
  key: 's',
  permission: 'segments.read',
  aliases: 'audience fenqun renqun 分群 人群 セグメント segumento',
  screens: [
    { path: '/segments', load: () => import('./SegmentListPage') },
    { path: '/segments/new', load: () => import('./SegmentNewPage'), permission: 'segments.write' },
    { path: '/segments/$id', load: () => import('./SegmentDetailPage') },
    { path: '/segments/$id/edit', load: () => import('./SegmentEditPage'), permission: 'segments.write' },
  ],
  actions: [
    {
      id: 'segment.new',
      title: 'segments.new',
      aliases: 'create segment xinjian fenqun shinki segumento sakusei',
      permission: 'segments.write',
      to: '/segments/new',
    },
  ],
  things: [{ list: '/api/v1/segments', title: 'nav.segments', path: '/segments' }],
}

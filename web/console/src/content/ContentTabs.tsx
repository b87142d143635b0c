import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { PageTabs } from '@/ui'

const paths = { mails: '/content', languages: '/content/languages', snippets: '/content/snippets', brand: '/content/brand' } as const

/** The pages of this area. */
export function ContentTabs({ current }: { current: keyof typeof paths }) {
  const t = useT()
  const go = useGo()
  return (
    <PageTabs
      label={t('nav.content')}
      value={current}
      onChange={(id) => go(paths[id as keyof typeof paths])}
      tabs={Object.keys(paths).map((id) => ({ id, label: t(`content.tab_${id}`) }))}
    />
  )
}

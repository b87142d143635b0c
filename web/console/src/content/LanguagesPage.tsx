import { Check, Languages, Minus } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList, useRead } from '@/api'
import { formatLanguage, formatNumber, useT } from '@/i18n'
import { type Column, ListTable, EmptyState, Link, LinkButton, ListPage, Tag } from '@/ui'
import { ContentTabs } from './ContentTabs'
import css from './content.module.css'
import { sameText } from './Languages'

type Row = Schemas['TemplateLanguages']

/** Which mail speaks which language, and where a text is missing. */
export default function LanguagesPage() {
  const t = useT()
  const rows = useList('/api/v1/templates/languages', {})
  const brand = useRead('/api/v1/brand', {})
  const all = useMemo(() => {
    const found = [...(brand.data?.brand.locales ?? [])]
    for (const r of rows.items) for (const l of r.has) if (!found.some((f) => sameText(f, l))) found.push(l)
    return found
  }, [brand.data, rows.items])
  const columns = useMemo<Column<Row>[]>(
    () => [
      { id: 'name', title: t('field.name'), cell: (r) => <Link to={`/content/${r.id}`}>{r.name}</Link>, text: (r) => r.name },
      ...all.map(
        (l): Column<Row> => ({
          id: l,
          title: formatLanguage(l),
          cell: (r) => {
            const has = r.has.some((h) => sameText(h, l))
            if (!has && r.missing.includes(l)) return <Tag tone="warning">{t('content.text_missing')}</Tag>
            if (!has) return <Minus size={16} className={css.none} role="img" aria-label={t('content.text_missing')} />
            return (
              <span className={css.has}>
                <Check size={16} role="img" aria-label={t('content.text_there')} />
                {r.main && sameText(r.main, l) ? <small>{t('content.main_text')}</small> : null}
              </span>
            )
          },
          text: (r) => (r.has.some((h) => sameText(h, l)) ? '1' : '0'),
        }),
      ),
    ],
    [t, all],
  )
  const missing = rows.items.reduce((n, r) => n + r.missing.length, 0)
  return (
    <ListPage
      title={t('content.tab_languages')}
      lead={t('content.languages_lead')}
      meta={missing > 0 ? <span>{t('content.missing_count', { count: missing, n: formatNumber(missing) })}</span> : null}
      views={<ContentTabs current="languages" />}
    >
      <ListTable
        name="template-languages"
        label={t('content.tab_languages')}
        columns={columns}
        of={rows}
        rowId={(r) => r.id}
        empty={
          <EmptyState
            icon={Languages}
            title={t('content.empty')}
            text={t('content.languages_lead')}
            action={<LinkButton to="/content/new">{t('content.new_mail')}</LinkButton>}
          />
        }
      />
    </ListPage>
  )
}

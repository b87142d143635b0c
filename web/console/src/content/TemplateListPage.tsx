import { Mail, Plus } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatLanguage, formatList, formatNumber, useT, word } from '@/i18n'
import { useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import {
  Ago,
  type Column,
  DataTable,
  EmptyState,
  FilterBar,
  FilterChip,
  Link,
  LinkButton,
  ListPage,
  SavedViews,
  SearchBox,
  Status,
  Tag,
} from '@/ui'
import { ContentTabs } from './ContentTabs'
import { wordsOf } from './draft'
import { sameText } from './Languages'
import { archivingMails } from './mayArchive'
import css from './content.module.css'

type Template = Schemas['Template']

const defaults = { q: '', status: 'active', language: '' }

/** Every mail that can be sent, with what it lacks. */
export default function TemplateListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('content.write')
  const [filter, setFilter] = useUrlState(defaults)
  const query = { q: filter.q || undefined, status: filter.status as 'active' }
  const templates = useList('/api/v1/templates', { query })
  const selection = useBulk({
    acts: write ? [archivingMails(filter.status === 'archived')] : [],
    query,
    lists: ['/api/v1/templates'],
  })
  // What lacks a language is found among what was read: there is no "all that match" of it, nor a file.
  const bulk = filter.language ? { ...selection, matching: undefined } : selection
  const written = useFile('templates', query)
  const file = filter.language ? undefined : written
  const brand = useRead('/api/v1/brand', {})
  const snippets = useList('/api/v1/snippets', {}, { size: 200 })
  useShortcuts(write ? [{ keys: 'n', label: t('content.new_mail'), run: () => go('/content/new') }] : [])

  const wanted = useMemo(() => brand.data?.brand.locales ?? [], [brand.data])
  const missing = useMemo(
    () => (x: Template) => {
      const has = wordsOf(x).map((w) => w.locale)
      return wanted.filter((w) => !has.some((h) => h && sameText(h, w)))
    },
    [wanted],
  )
  const versions = useMemo(() => new Map(snippets.items.map((s) => [s.key, s.version])), [snippets.items])
  const old = useMemo(
    () => (x: Template) =>
      x.kind === 'blocks' &&
      ((brand.data !== undefined && x.brand_revision < brand.data.revision) ||
        Object.entries(x.snippets ?? {}).some(([key, v]) => (versions.get(key) ?? v) > v)),
    [brand.data, versions],
  )
  const columns = useMemo<Column<Template>[]>(
    () => [
      {
        id: 'name',
        title: t('field.name'),
        cell: (x) => <Link to={`/content/${x.id}`}>{x.name}</Link>,
        text: (x) => x.name,
      },
      { id: 'subject', title: t('field.subject'), cell: (x) => x.subject, text: (x) => x.subject },
      {
        id: 'languages',
        title: t('content.languages'),
        cell: (x) => {
          const lacks = missing(x)
          return (
            <div className={css.whole}>
              <span className={css.oneLine}>
                {formatList(
                  wordsOf(x)
                    .filter((w) => w.locale)
                    .map((w) => formatLanguage(w.locale)),
                )}
              </span>{' '}
              {lacks.length > 0 ? (
                <Tag tone="warning">{t('content.missing', { languages: formatList(lacks.map((l) => formatLanguage(l))) })}</Tag>
              ) : null}
            </div>
          )
        },
        text: (x) =>
          wordsOf(x)
            .map((w) => w.locale)
            .join(' '),
        field: 'locale',
      },
      {
        id: 'channel',
        title: t('field.channel'),
        optional: true,
        cell: (x) => word('channel', x.channel ?? 'email'),
        text: (x) => x.channel,
      },
      {
        id: 'kind',
        title: t('field.kind'),
        optional: true,
        cell: (x) => t(x.kind === 'code' ? 'content.kind_code' : 'content.kind_blocks'),
        text: (x) => x.kind,
      },
      {
        id: 'status',
        title: t('field.status'),
        cell: (x) => (x.status === 'active' && old(x) ? <Tag tone="warning">{t('content.outdated')}</Tag> : <Status value={x.status} />),
        text: (x) => x.status,
      },
      {
        id: 'changed',
        title: t('field.changed'),
        num: true,
        cell: (x) => <Ago at={x.updated_at} />,
        text: (x) => x.updated_at,
        field: 'updated_at',
      },
    ],
    [t, missing, old],
  )
  const rows = filter.language ? templates.items.filter((x) => missing(x).includes(filter.language)) : templates.items
  const waiting = templates.items.filter(old).length
  const create = write ? (
    <LinkButton to="/content/new" variant="filled" leftSection={<Plus size={16} />}>
      {t('content.new_mail')}
    </LinkButton>
  ) : null
  const active = filter.q !== '' || filter.status !== 'active' || filter.language !== ''
  return (
    <ListPage
      title={t('nav.content')}
      lead={t('content.lead')}
      actions={create}
      meta={waiting > 0 ? <span>{t('content.outdated_count', { count: waiting, n: formatNumber(waiting) })}</span> : null}
      views={
        <>
          <ContentTabs current="mails" />
          <SavedViews list="templates" state={filter} defaults={defaults} onApply={(s) => setFilter({ ...defaults, ...s })} />
        </>
      }
      filters={
        <FilterBar active={active} onClear={() => setFilter(defaults)}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('content.search')} />
          <FilterChip
            label={t('field.status')}
            value={filter.status === 'active' ? '' : filter.status}
            choices={[{ value: 'archived', label: word('status', 'archived') }]}
            onChange={(status) => setFilter({ status: status || 'active' })}
          />
          {wanted.length > 1 ? (
            <FilterChip
              label={t('content.lacks')}
              value={filter.language}
              choices={wanted.map((l) => ({ value: l, label: formatLanguage(l) }))}
              onChange={(language) => setFilter({ language })}
            />
          ) : null}
        </FilterBar>
      }
    >
      <DataTable
        name="templates"
        label={t('nav.content')}
        columns={columns}
        rows={rows}
        rowId={(x) => x.id}
        loading={templates.loading}
        error={templates.error}
        onRetry={templates.reload}
        more={templates.more}
        loadingMore={templates.loadingMore}
        onMore={templates.loadMore}
        onOpen={(x) => go(`/content/${x.id}`)}
        {...bulk}
        file={file}
        filtered={active}
        onClearFilters={() => setFilter(defaults)}
        empty={<EmptyState icon={Mail} title={t('content.empty')} action={create} />}
      />
    </ListPage>
  )
}

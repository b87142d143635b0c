import { Columns3 } from 'lucide-react'
import { useList } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { Ago, EmptyState, Link, LinkButton, ListPage, ListTable } from '@/ui'

/** What was kept of the columns of files. */
export default function ImportMappingsPage() {
  const t = useT()
  const go = useGo()
  const mappings = useList('/api/v1/import-mappings', {})
  return (
    <ListPage
      title={t('imports.mapping.all')}
      lead={t('imports.mapping.lead')}
      crumbs={[
        { to: '/people', label: t('nav.people') },
        { to: '/people/import', label: t('imports.title') },
      ]}
    >
      <ListTable
        name="import-mappings"
        label={t('imports.mapping.all')}
        of={mappings}
        rowId={(m) => m.id}
        onOpen={(m) => go(`/people/import/mappings/${m.id}`)}
        columns={[
          {
            id: 'name',
            title: t('field.name'),
            cell: (m) => <Link to={`/people/import/mappings/${m.id}`}>{m.name}</Link>,
            text: (m) => m.name,
          },
          {
            id: 'columns',
            title: t('imports.step.columns'),
            cell: (m) => t('imports.mapping.columns', { n: formatNumber(m.plan.columns?.length ?? 0), of: formatNumber(m.columns.length) }),
            text: (m) => m.columns.join(', '),
          },
          { id: 'by', title: t('imports.mapping.who'), cell: (m) => m.by, text: (m) => m.by },
          { id: 'changed', title: t('field.changed'), num: true, cell: (m) => <Ago at={m.updated_at} />, text: (m) => m.updated_at },
        ]}
        empty={
          <EmptyState
            icon={Columns3}
            title={t('imports.mapping.none')}
            action={
              <LinkButton to="/people/import" variant="filled">
                {t('imports.title')}
              </LinkButton>
            }
          />
        }
      />
    </ListPage>
  )
}

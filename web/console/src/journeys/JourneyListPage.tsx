import { Route, Sparkles } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { language, useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { Ago, Button, type Column, DataTable, EmptyState, Link, ListPage, Num, Status, toast, toastError } from '@/ui'

type Journey = Schemas['Journey']

export default function JourneyListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('journeys.write')
  const journeys = useList('/api/v1/journeys', {})
  const install = useSend('post', '/api/v1/journeys/ready', { refresh: ['/api/v1/journeys'] })
  const columns = useMemo<Column<Journey>[]>(
    () => [
      { id: 'name', title: t('field.name'), cell: (j) => <Link to={`/journeys/${j.id}`}>{j.name}</Link>, text: (j) => j.name },
      { id: 'status', title: t('field.status'), cell: (j) => <Status value={j.status} />, text: (j) => j.status },
      { id: 'entered', title: t('journeys.entered'), num: true, cell: (j) => <Num value={j.entered} />, text: (j) => j.entered },
      { id: 'inside', title: t('journeys.inside'), num: true, cell: (j) => <Num value={j.active} />, text: (j) => j.active },
      { id: 'goal', title: t('journeys.goal'), num: true, cell: (j) => <Num value={j.goals} />, text: (j) => j.goals },
      { id: 'changed', title: t('field.changed'), num: true, cell: (j) => <Ago at={j.updated_at} />, text: (j) => j.updated_at },
    ],
    [t],
  )
  const ready = write ? (
    <Button
      leftSection={<Sparkles size={16} />}
      loading={install.isPending}
      onClick={() =>
        install.mutate({ body: { locale: language() } }, { onSuccess: () => toast(t('journeys.installed')), onError: toastError })
      }
    >
      {t('journeys.install')}
    </Button>
  ) : null
  return (
    <ListPage title={t('nav.journeys')} lead={t('journeys.lead')} actions={ready}>
      <DataTable
        name="journeys"
        label={t('nav.journeys')}
        columns={columns}
        rows={journeys.items}
        rowId={(j) => j.id}
        loading={journeys.loading}
        error={journeys.error}
        onRetry={journeys.reload}
        more={journeys.more}
        loadingMore={journeys.loadingMore}
        onMore={journeys.loadMore}
        onOpen={(j) => go(`/journeys/${j.id}`)}
        empty={<EmptyState icon={Route} title={t('journeys.empty')} text={t('journeys.lead')} action={ready} />}
      />
    </ListPage>
  )
}

import { type Schemas, useRead, useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo, useParam } from '@/lib/route'
import { Ago, Button, confirm, DetailPage, Loaded, toast, toastError, useClipboard, useForm, DangerButton } from '@/ui'
import { NotePanel } from './NotePanel'
import { given, noParams, type Params, ReportView, reportTitle } from './ReportView'

const live = { refresh: ['/api/v1/saved-reports'] }

/** A saved report: its address is what is shared inside the workspace. */
export default function SavedReportPage() {
  const id = useParam('id')
  const saved = useRead('/api/v1/saved-reports/{id}', { path: { id } })
  return <Loaded of={saved}>{(s) => <View key={s.id} saved={s} />}</Loaded>
}

function View({ saved: s }: { saved: Schemas['SavedReport'] }) {
  const t = useT()
  const go = useGo()
  const update = useSend('put', '/api/v1/saved-reports/{id}', live)
  const form = useForm<Params>({
    initial: { ...noParams, ...s.parameters },
    follow: true,
    revision: s.revision,
    save: (v, revision) =>
      update
        .mutateAsync({ path: { id: s.id }, body: { name: s.name, report: s.report, parameters: given(v), revision } })
        .catch((err: unknown) => (toastError(err), false as const)),
  })
  const params = form.values
  const remove = useSend('delete', '/api/v1/saved-reports/{id}', live)
  const clipboard = useClipboard()
  const changed = JSON.stringify(given(params)) !== JSON.stringify(given({ ...noParams, ...s.parameters }))
  return (
    <DetailPage
      title={s.name}
      crumbs={[{ to: '/reports', label: t('nav.reports') }]}
      meta={
        <>
          <span>{reportTitle(s.report)}</span>
          <span>
            {t('report.changed_at')} <Ago at={s.updated_at} />
          </span>
        </>
      }
      actions={
        <>
          <DangerButton
            onClick={async () => {
              if (!(await confirm({ title: t('report.delete_title', { name: s.name }), action: t('report.delete'), danger: true }))) return
              remove.mutate({ path: { id: s.id } }, { onSuccess: () => go('/reports'), onError: toastError })
            }}
          >
            {t('report.delete')}
          </DangerButton>
          {changed ? (
            <Button loading={form.busy} onClick={() => void form.submit()}>
              {t('report.save_changes')}
            </Button>
          ) : null}
          <Button
            variant="filled"
            onClick={() => {
              clipboard.copy(`${window.location.origin}${window.location.pathname}`)
              toast(t('report.link_copied'))
            }}
          >
            {t('report.copy_link')}
          </Button>
        </>
      }
    >
      <ReportView report={s.report} params={params} onChange={form.setValues} />
      <NotePanel of="saved-reports" id={s.id} />
    </DetailPage>
  )
}

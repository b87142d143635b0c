import { useState } from 'react'
import { useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo, useParam, useUrlState } from '@/lib/route'
import { Button, DetailPage, FormBody, Sheet, TextInput, useForm } from '@/ui'
import { given, noParams, ReportView, reportTitle } from './ReportView'

/** A report of the catalogue; what it is asked with lives in the address, so the address can be shared. */
export default function ReportPage() {
  const t = useT()
  const key = useParam('key')
  const [params, setParams] = useUrlState(noParams)
  const [saving, setSaving] = useState(false)
  return (
    <DetailPage
      title={reportTitle(key)}
      crumbs={[{ to: '/reports', label: t('nav.reports') }]}
      actions={<Button onClick={() => setSaving(true)}>{t('report.save')}</Button>}
    >
      {/* The page and the figure that are open in one report mean nothing in another. */}
      <ReportView key={key} report={key} params={params} onChange={setParams} />
      <Sheet title={t('report.save')} opened={saving} onClose={() => setSaving(false)}>
        <SaveForm report={key} params={given(params)} onClose={() => setSaving(false)} />
      </Sheet>
    </DetailPage>
  )
}

function SaveForm({ report, params, onClose }: { report: string; params: Record<string, string>; onClose: () => void }) {
  const t = useT()
  const go = useGo()
  const create = useSend('post', '/api/v1/saved-reports', { refresh: ['/api/v1/saved-reports'] })
  const form = useForm({
    initial: { name: reportTitle(report) },
    save: async (v) => {
      const made = await create.mutateAsync({ body: { name: v.name, report, parameters: params } })
      go(`/reports/saved/${made.id}`)
    },
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onClose}>
      <TextInput label={t('field.name')} description={t('report.save_help')} required maxLength={200} {...form.getInputProps('name')} />
    </FormBody>
  )
}

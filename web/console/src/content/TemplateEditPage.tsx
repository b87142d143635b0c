import { useRead } from '@/api'
import { useParam } from '@/lib/route'
import { Loaded, useWholeScreen } from '@/ui'
import { TemplateEditor } from './TemplateEditor'

export default function TemplateEditPage() {
  useWholeScreen()
  const id = useParam('id')
  const template = useRead('/api/v1/templates/{id}', { path: { id } })
  return <Loaded of={template}>{(t) => <TemplateEditor key={t.id} template={t} />}</Loaded>
}

import { useRead } from '@/api'
import { useParam } from '@/lib/route'
import { Loaded, LoadingState } from '@/ui'
import { TemplateEditor } from './TemplateEditor'

export default function TemplateEditPage() {
  const id = useParam('id')
  const template = useRead('/api/v1/templates/{id}', { path: { id } })
  const brand = useRead('/api/v1/brand', {}) // the editor's bar names its languages: known before, it does not move
  return <Loaded of={template}>{(t) => (brand.isLoading ? <LoadingState /> : <TemplateEditor key={t.id} template={t} />)}</Loaded>
}

import { useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { FormPage } from '@/ui'
import { PersonaForm } from './PersonaForm'

export default function PersonaNewPage() {
  const t = useT()
  const go = useGo()
  const create = useSend('post', '/api/v1/personas', { refresh: ['/api/v1/personas', '/api/v1/segments'] })
  return (
    <FormPage
      title={t('personas.new')}
      lead={t('personas.new_lead')}
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: '/personas', label: t('personas.title') },
      ]}
    >
      <PersonaForm
        onCancel={() => go('/personas')}
        save={(body) => create.mutateAsync({ body })}
        onDone={(made) => go(`/personas/${made.id}`)}
      />
    </FormPage>
  )
}

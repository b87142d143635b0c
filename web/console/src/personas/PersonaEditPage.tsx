import { useRead, useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo, useParam } from '@/lib/route'
import { FormPage, Loaded } from '@/ui'
import { PersonaForm } from './PersonaForm'

export default function PersonaEditPage() {
  const t = useT()
  const go = useGo()
  const id = useParam('id')
  const persona = useRead('/api/v1/personas/{id}', { path: { id } })
  const update = useSend('put', '/api/v1/personas/{id}', { refresh: ['/api/v1/personas', '/api/v1/segments'] })
  return (
    <FormPage
      title={t('personas.edit')}
      room
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: '/personas', label: t('personas.title') },
        { to: `/personas/${id}`, label: persona.data?.name ?? '' },
      ]}
    >
      <Loaded of={persona}>
        {(p) => (
          <PersonaForm
            key={p.id}
            persona={p}
            onCancel={() => go(`/personas/${id}`)}
            save={(draft, revision) => update.mutateAsync({ path: { id }, body: { ...draft, revision } })}
            onDone={() => go(`/personas/${id}`)}
          />
        )}
      </Loaded>
    </FormPage>
  )
}

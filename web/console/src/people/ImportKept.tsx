import type { Schemas } from '@/api'
import { useT } from '@/i18n'
import { Ago, Card, Group, Link, Note, Select, SimpleGrid, Stack, Switch, TextInput } from '@/ui'

type Mapping = Schemas['ImportMapping']

/** Whether and under which name the choices are kept; id of the mapping that they came from, empty: of none. */
export interface Kept {
  on: boolean
  name: string
  id: string
}

/** What was chosen for earlier files with the same columns, and whether this is kept for the next. */
export function ImportKept({
  saved,
  kept,
  onKept,
  onChoose,
}: {
  saved: Mapping[]
  kept: Kept
  onKept: (k: Kept) => void
  onChoose: (m: Mapping | undefined) => void
}) {
  const t = useT()
  const used = saved.find((m) => m.id === kept.id)
  return (
    <Card title={t('imports.mapping.title')} help={t(used ? 'imports.mapping.found' : 'imports.mapping.help')}>
      <Stack gap="md">
        <SimpleGrid cols={{ base: 1, sm: saved.length > 0 ? 2 : 1 }}>
          {saved.length > 0 ? (
            <Select
              label={t('imports.mapping.use')}
              allowDeselect={false}
              data={[...saved.map((m) => ({ value: m.id, label: m.name })), { value: '', label: t('imports.mapping.guess') }]}
              value={kept.id}
              onChange={(id) => onChoose(saved.find((m) => m.id === id))}
            />
          ) : null}
          <TextInput
            label={t('imports.mapping.name')}
            maxLength={100}
            disabled={!kept.on}
            value={kept.name}
            onChange={(e) => onKept({ ...kept, name: e.currentTarget.value })}
          />
        </SimpleGrid>
        <Switch label={t('imports.mapping.keep')} checked={kept.on} onChange={(e) => onKept({ ...kept, on: e.currentTarget.checked })} />
        <Group justify="space-between" gap="xs">
          <Note>
            {used ? (
              <>
                {t('imports.mapping.by', { name: used.by })} <Ago at={used.updated_at} />
              </>
            ) : null}
          </Note>
          <Link data-finger to="/people/import/mappings">
            {t('imports.mapping.all')}
          </Link>
        </Group>
      </Stack>
    </Card>
  )
}

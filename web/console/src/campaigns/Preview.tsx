import { useQuery } from '@tanstack/react-query'
import { call, describe } from '@/api'
import { Frame } from '@/content/Frame'
import { useT } from '@/i18n'
import { Alert, LoadingState, Note, Stack, Text } from '@/ui'

interface Props {
  template: string
  /** As this person would get it; without one as anybody would. */
  person?: string
  /** What else it is filled with, such as the event of a journey. */
  vars?: Record<string, unknown>
}

/** A template as a reader would get it, by the renderer that sends. */
export function Preview({ template, person, vars }: Props) {
  const t = useT()
  const answer = useQuery({
    queryKey: ['letter', 'saved', template, person, vars],
    queryFn: ({ signal }) => call('post', '/api/v1/templates/preview', { body: { template, person, vars } }, { signal }),
    retry: false,
  })
  if (answer.error) return <Alert color="danger">{describe(answer.error)}</Alert>
  const m = answer.data
  if (!m) return <LoadingState rows={4} />
  return (
    <Stack gap={4}>
      <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
        {m.subject}
      </Text>
      <Note>{m.preheader}</Note>
      <Frame html={m.html || `<pre>${m.text}</pre>`} title={t('campaigns.preview')} width={720} />
    </Stack>
  )
}

import { useT } from '@/i18n'
import { Alert, Button, Group } from '@/ui'

/** Says that what is shown was left over in this browser, and lets it go. */
export function Restored({ onDrop }: { onDrop: () => void }) {
  const t = useT()
  return (
    <Alert color="accent">
      <Group gap="xs">
        {t('saving.restored')}
        <Button size="compact-sm" onClick={onDrop}>
          {t('saving.drop')}
        </Button>
      </Group>
    </Alert>
  )
}

import { useT } from '@/i18n'
import { printed, useActiveShortcuts } from '@/lib/keys'
import { Kbd, Modal } from '@/ui'
import css from './ShortcutSheet.module.css'

/** Combinations as they are printed; those that differ in the last key only, such as the arrows, share the keys before it. */
function shown(all: string[]): string[][] {
  const [first = []] = all.map(printed)
  const same = all.length > 2 && all.every((k) => k.split('+').slice(0, -1).join() === all[0]!.split('+').slice(0, -1).join())
  return same ? [[...first.slice(0, -1), ...all.map((k) => printed(k).at(-1)!)]] : all.map(printed)
}

/** The keys that work on the present page. */
export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const t = useT()
  const all = useActiveShortcuts()
  return (
    <Modal title={t('shortcut.help')} onClose={onClose}>
      <ul className={css.list}>
        {all.map((s) => (
          <li key={s.keys} className={css.row}>
            <span>{s.label}</span>
            <span className={css.keys}>
              {shown([s.keys, ...(s.also ?? [])]).map((keys) => (
                <span key={keys.join()} className={css.combination}>
                  {keys.map((k, i) => (k === t('shortcut.then') ? <span key={`${k}${i}`}>{k}</span> : <Kbd key={`${k}${i}`}>{k}</Kbd>))}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Modal>
  )
}

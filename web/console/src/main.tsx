import './ui/tokens.css'
import './ui/base.css' // its layer must come before the kit's
import '@fontsource-variable/inter/wght.css'
import '@mantine/core/styles.layer.css'
import './ui/kit.css'
import { createRoot } from 'react-dom/client'
import { preferred, speak } from '@/i18n'
import { App } from './app/App'
import { start } from './app/session'

// The texts and the session travel side by side; nothing can be drawn without the first.
void start()
await speak(preferred())
const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)

/// <reference types="vite/client" />
declare module '@fontsource-variable/inter/wght.css'
declare module '*.json?url' {
  const url: string
  export default url
}

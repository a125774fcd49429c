import 'uplot/dist/uPlot.min.css'
import './page.css'
import { render } from 'solid-js/web'
import { App } from './App'
import { startLive } from './live/live'
import { startTheme } from './theme'

startTheme()
const host = document.getElementById('page')!
host.replaceChildren()
render(() => <App />, host)
startLive()

// The editor of documents: Monaco, fetched only by pages that edit, and from this server alone.

const base = "/_content/BlazorMonaco/lib/monaco-editor/min/vs";
const pause = 300;
let loading;

function load() {
  return loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${base}/loader.js`;
    script.onerror = () => reject(new Error("The editor could not be loaded."));
    script.onload = () => {
      window.require.config({ paths: { vs: base } });
      window.require(["vs/editor/editor.main"], () => {
        // The pages' own colours.
        window.monaco.editor.defineTheme("kohakku-light", { base: "vs", inherit: true, rules: [], colors: { "editor.background": "#ffffff" } });
        window.monaco.editor.defineTheme("kohakku-dark", { base: "vs-dark", inherit: true, rules: [], colors: { "editor.background": "#1b1f24" } });
        resolve(window.monaco);
      }, reject);
    };
    document.head.append(script);
  });
}

const themeName = () => `kohakku-${document.documentElement.dataset.theme === "dark" ? "dark" : "light"}`;

/** @param page its Changed(text) is called when the person pauses, SaveAsked() for Ctrl+S */
export async function open(box, page, { text, readOnly, label }) {
  const monaco = await load();
  const editor = monaco.editor.create(box, {
    value: text, language: "yaml", theme: themeName(), readOnly, ariaLabel: label, automaticLayout: true, minimap: { enabled: false }, scrollBeyondLastLine: false,
    tabSize: 2, insertSpaces: true, detectIndentation: false, fontSize: 13, lineNumbersMinChars: 3, renderLineHighlight: "line", wordWrap: "on", wrappingIndent: "indent",
    fixedOverflowWidgets: true, padding: { top: 10, bottom: 10 }, scrollbar: { alwaysConsumeMouseWheel: false }, overviewRulerLanes: 1, quickSuggestions: false,
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"), unicodeHighlight: { ambiguousCharacters: false },
  });
  editor.getModel().setEOL(monaco.editor.EndOfLineSequence.LF);
  let timer, silent = false;
  editor.onDidChangeModelContent(() => {
    clearTimeout(timer);
    if (!silent) timer = setTimeout(() => page.invokeMethodAsync("Changed", editor.getValue()).catch(() => { }), pause);
  });
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS, () => page.invokeMethodAsync("SaveAsked").catch(() => { }));
  const theme = new MutationObserver(() => monaco.editor.setTheme(themeName()));
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });

  return {
    text() { clearTimeout(timer); return editor.getValue(); },
    show(next, locked) {
      editor.updateOptions({ readOnly: locked });
      if (editor.getValue() === next) return;
      silent = true;
      editor.setValue(next);
      silent = false;
    },
    mark(faults) {
      const model = editor.getModel();
      monaco.editor.setModelMarkers(model, "kohakku", faults.map(fault => {
        const line = Math.min(Math.max(fault.line, 1), model.getLineCount());
        const word = model.getWordAtPosition({ lineNumber: line, column: fault.column });
        return {
          severity: monaco.MarkerSeverity.Error, message: fault.message, startLineNumber: line, endLineNumber: line,
          startColumn: fault.column, endColumn: Math.max(word?.endColumn ?? model.getLineMaxColumn(line), fault.column + 1),
        };
      }));
    },
    goTo(line, column) {
      editor.setPosition({ lineNumber: line, column });
      editor.revealPositionInCenterIfOutsideViewport({ lineNumber: line, column });
      editor.focus();
    },
    close() {
      clearTimeout(timer);
      theme.disconnect();
      editor.getModel()?.dispose();
      editor.dispose();
    },
  };
}

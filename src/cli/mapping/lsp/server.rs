//! What an editor asks, and the answers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tower_lsp_server::jsonrpc::Result;
use tower_lsp_server::ls_types::{
    CompletionItem, CompletionItemKind, CompletionOptions, CompletionParams, CompletionResponse,
    Diagnostic, DiagnosticSeverity, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, Documentation, Hover, HoverContents, HoverParams,
    HoverProviderCapability, InitializeParams, InitializeResult, MarkupContent, MarkupKind,
    NumberOrString, ServerCapabilities, ServerInfo, TextDocumentPositionParams,
    TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use tower_lsp_server::{Client, LanguageServer};

use super::convert::{offset, range};
use super::workspace::Workspace;
use crate::mapping::{Draft, Fault, Severity, Suggested, Suggestion};

/// Most bytes of a file that is looked at.
const FILE_BYTES: usize = 512 * 1024;

/// One editor.
pub(super) struct Editor {
    client: Client,
    workspace: Workspace,
    texts: Mutex<HashMap<Uri, String>>,
}

impl Editor {
    pub(super) fn new(client: Client, workspace: Workspace) -> Self {
        Self { client, workspace, texts: Mutex::default() }
    }

    async fn changed(&self, uri: Uri, text: String, version: Option<i32>) {
        if text.len() > FILE_BYTES {
            return;
        }
        let document = uri.to_file_path().and_then(|file| self.workspace.document(&file));
        let faults = document.map(|document| document.review(&text)).unwrap_or_default();
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(uri.clone(), text);
        let shown = faults.iter().map(diagnostic).collect();
        self.client.publish_diagnostics(uri, shown, version).await;
    }

    /// Asks the script at a place.
    fn at<T>(
        &self,
        place: &TextDocumentPositionParams,
        ask: impl FnOnce(Draft<'_>, usize) -> T,
    ) -> Option<T> {
        let uri = &place.text_document.uri;
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let text = texts.get(uri)?;
        let document = self.workspace.document(&uri.to_file_path()?)?;
        let known = document.known();
        let draft = Draft { entity: document.entity?, text, known: known.as_ref() };
        Some(ask(draft, offset(text, place.position)))
    }
}

impl LanguageServer for Editor {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                text_document_sync: Some(TextDocumentSyncCapability::Kind(
                    TextDocumentSyncKind::FULL,
                )),
                completion_provider: Some(CompletionOptions {
                    trigger_characters: Some(vec![".".to_owned()]),
                    ..CompletionOptions::default()
                }),
                hover_provider: Some(HoverProviderCapability::Simple(true)),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo {
                name: "rollcall".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, asked: DidOpenTextDocumentParams) {
        let document = asked.text_document;
        self.changed(document.uri, document.text, Some(document.version)).await;
    }

    async fn did_change(&self, asked: DidChangeTextDocumentParams) {
        let document = asked.text_document;
        if let Some(last) = asked.content_changes.into_iter().next_back() {
            self.changed(document.uri, last.text, Some(document.version)).await;
        }
    }

    async fn did_close(&self, asked: DidCloseTextDocumentParams) {
        let uri = asked.text_document.uri;
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).remove(&uri);
        self.client.publish_diagnostics(uri, Vec::new(), None).await;
    }

    async fn completion(&self, asked: CompletionParams) -> Result<Option<CompletionResponse>> {
        let found = self.at(&asked.text_document_position, |draft, at| draft.complete(at));
        Ok(found.map(|found| {
            CompletionResponse::Array(found.into_iter().enumerate().map(item).collect())
        }))
    }

    async fn hover(&self, asked: HoverParams) -> Result<Option<Hover>> {
        let place = asked.text_document_position_params;
        let found = self.at(&place, |draft, at| draft.hover(at)).flatten();
        Ok(found.map(|text| Hover { contents: HoverContents::Markup(markdown(text)), range: None }))
    }
}

fn diagnostic(fault: &Fault) -> Diagnostic {
    let message = match fault.advice() {
        Some(help) => format!("{fault}\n{help}"),
        None => fault.to_string(),
    };
    Diagnostic {
        range: range(fault),
        severity: Some(match fault.severity() {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(fault.code().to_owned())),
        source: Some("rollcall".to_owned()),
        message,
        ..Diagnostic::default()
    }
}

/// Suggestions keep their order: parts of the record before functions.
fn item((nth, suggestion): (usize, Suggestion)) -> CompletionItem {
    let Suggestion { label, kind, detail, about } = suggestion;
    let (kind, insert) = match kind {
        Suggested::Path => (CompletionItemKind::PROPERTY, None),
        Suggested::Field => (CompletionItemKind::FIELD, Some(format!("{label}: "))),
        Suggested::Function => (CompletionItemKind::FUNCTION, None),
        Suggested::Variable => (CompletionItemKind::VARIABLE, None),
    };
    CompletionItem {
        label,
        kind: Some(kind),
        detail: Some(detail),
        documentation: (!about.is_empty()).then(|| Documentation::MarkupContent(markdown(about))),
        sort_text: Some(format!("{nth:04}")),
        insert_text: insert,
        ..CompletionItem::default()
    }
}

fn markdown(text: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value: text }
}

//! One method of one path, as the document tells it.

use serde_json::{Map, Value, json};

pub(super) const JSON: &str = "application/json";
pub(super) const LINES: &str = "application/x-ndjson";
pub(super) const BYTES: &str = "application/octet-stream";
pub(super) const TEXT: &str = "text/plain";

/// Who may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Everybody,
    /// Everybody, if the tenant allows it; else as [`Self::User`].
    Data,
    User,
    Admin,
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    members: Map<String, Value>,
    parameters: Vec<Value>,
    answers: Map<String, Value>,
}

pub(super) fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

impl Operation {
    pub(super) fn new(id: &str, tag: &str, access: Access, summary: &str) -> Self {
        let Value::Object(members) = json!({
            "operationId": id,
            "tags": [tag],
            "summary": summary,
            "security": security(access),
        }) else {
            unreachable!("an object was written down")
        };
        // Whatever goes wrong is told in one form.
        let problem = json!({"$ref": "#/components/responses/Problem"});
        let answers = Map::from_iter([("default".to_owned(), problem)]);
        Self { members, parameters: Vec::new(), answers }.with_admittance(access)
    }

    fn with_admittance(self, access: Access) -> Self {
        match access {
            Access::Everybody => self,
            Access::Data | Access::User => self.refuses(&[401, 403, 429]),
            Access::Admin => self.refuses(&[401, 403]),
        }
    }

    pub(super) fn about(mut self, text: &str) -> Self {
        self.members.insert("description".to_owned(), text.into());
        self
    }

    /// A parameter that is defined once for all.
    pub(super) fn parameter(mut self, name: &str) -> Self {
        self.parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
        self
    }

    pub(super) fn parameters(self, names: &[&str]) -> Self {
        names.iter().fold(self, |operation, name| operation.parameter(name))
    }

    /// One that is written down where it is used.
    pub(super) fn inline_parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// A part of the query that means something at this path only.
    pub(super) fn query(mut self, name: &str, schema: &Value, about: &str) -> Self {
        self.parameters.push(json!({"name": name, "in": "query", "description": about, "schema": schema}));
        self
    }

    /// What the body may be: media type, schema, example.
    pub(super) fn takes(mut self, forms: &[(&str, Value, Value)]) -> Self {
        let content = forms.iter().map(|(media_type, schema, example)| {
            ((*media_type).to_owned(), json!({"schema": schema, "example": example}))
        });
        let content: Map<String, Value> = content.collect();
        self.members.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
        self
    }

    /// The same for a body that can be left out.
    pub(super) fn may_take(self, schema: Value, example: Value) -> Self {
        let mut operation = self.takes(&[(JSON, schema, example)]);
        if let Some(body) = operation.members.get_mut("requestBody") {
            body["required"] = false.into();
        }
        operation
    }

    pub(super) fn answers(self, status: u16, about: &str, media_type: &str, schema: Value) -> Self {
        self.answers_forms(status, about, &[(media_type, schema)])
    }

    pub(super) fn answers_forms(mut self, status: u16, about: &str, forms: &[(&str, Value)]) -> Self {
        let content = forms.iter().map(|(media_type, schema)| ((*media_type).to_owned(), json!({"schema": schema})));
        let content: Map<String, Value> = content.collect();
        self.answers.insert(status.to_string(), json!({"description": about, "content": content}));
        self
    }

    pub(super) fn answers_entry(self, status: u16, about: &str) -> Self {
        self.answers_entry_or(status, about, &[])
    }

    /// An entry carries its version in a header, too, whatever form it comes in.
    pub(super) fn answers_entry_or(mut self, status: u16, about: &str, others: &[(&str, Value)]) -> Self {
        let of_type = |name: &str| others.iter().find(|(other, _)| *other == name).map(|(_, form)| form);
        let entry = match of_type(JSON) {
            Some(other) => json!({"anyOf": [schema("Entry"), other]}),
            None => schema("Entry"),
        };
        let others = others.iter().filter(|(name, _)| *name != JSON).map(|(name, form)| (*name, form.clone()));
        let content: Map<String, Value> = [(JSON, entry)]
            .into_iter()
            .chain(others)
            .map(|(name, form)| (name.to_owned(), json!({"schema": form})))
            .collect();
        let answer = json!({
            "description": about,
            "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
            "content": content,
        });
        self.answers.insert(status.to_string(), answer);
        self
    }

    pub(super) fn answers_nothing(mut self, status: u16, about: &str) -> Self {
        self.answers.insert(status.to_string(), json!({"description": about}));
        self
    }

    /// What the node can say no with. The sentences stand with the answers' definitions.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            let answer = json!({"$ref": format!("#/components/responses/{status}")});
            self.answers.insert(status.to_string(), answer);
        }
        self
    }

    pub(super) fn into_json(mut self) -> Value {
        if !self.parameters.is_empty() {
            self.members.insert("parameters".to_owned(), self.parameters.into());
        }
        self.members.insert("responses".to_owned(), self.answers.into());
        self.members.into()
    }
}

fn security(access: Access) -> Value {
    let keys = [json!({"bearer": []}), json!({"apiKey": []})];
    match access {
        Access::Everybody => json!([]),
        Access::Data => json!([{}, keys[0], keys[1]]),
        Access::User | Access::Admin => json!(keys),
    }
}

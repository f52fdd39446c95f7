use std::collections::HashMap;

use serde_json::json;

use super::*;

fn post(bulk_id: &str, refers_to: &[&str]) -> Value {
    let members: Value = refers_to
        .iter()
        .map(|id| json!({ "value": format!("bulkId:{id}") }))
        .collect();
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": { "members": members } })
}

fn parse(operations: Value) -> Result<BulkRequest, Error> {
    let body = json!({ "schemas": [BULK_REQUEST], "failOnErrors": 1, "Operations": operations });
    BulkRequest::parse(body, &BulkLimits { max_operations: 5 })
}

fn ordered(operations: Value) -> Order {
    order(&parse(operations).unwrap().operations)
}

#[test]
fn requests_of_another_form_are_refused() {
    let refused = [
        json!("x"),
        json!([7]),
        json!([{ "method": "GET", "path": "/Users/1" }]),
        json!([{ "method": "POST", "path": "/Users", "data": {} }]),
        json!([{ "method": "POST", "path": "/Users", "bulkId": "a" }]),
        json!([{ "method": "PUT", "path": "Users/1", "data": {} }]),
        json!([{ "method": "PATCH", "path": "/Users/1" }]),
        json!([{ "method": "DELETE" }]),
        json!([{ "method": "DELETE", "path": "/Users/1", "version": 1 }]),
        json!([post("a", &[]), post("a", &[])]),
    ];
    for operations in refused {
        assert_eq!(
            parse(operations.clone()).unwrap_err().status,
            400,
            "{operations}"
        );
    }
    assert!(parse(vec![post("a", &[]); 6].into()).is_err_and(|e| e.status == 413));
    let accepted =
        parse(json!([{ "method": "delete", "path": "/Users/1", "version": "W/\"1\"" }])).unwrap();
    assert_eq!(accepted.fail_on_errors, Some(1));
    assert_eq!(accepted.operations[0].method, BulkMethod::Delete);
    let limits = BulkLimits::default();
    assert!(BulkRequest::parse(json!({ "Operations": [] }), &limits).is_err());
    let body = json!({ "schemas": [BULK_REQUEST], "failOnErrors": 0, "Operations": [] });
    assert!(BulkRequest::parse(body, &limits).is_err());
}

#[test]
fn operations_come_behind_what_they_refer_to() {
    let cases = [
        (
            json!([post("a", &["b"]), post("b", &["c"]), post("c", &[])]),
            vec![2, 1, 0],
            0,
        ),
        (
            json!([post("a", &[]), post("b", &[]), post("c", &["a"])]),
            vec![0, 1, 2],
            0,
        ),
        (json!([post("a", &["a"])]), vec![0], 1),
        // The circle is broken at its earliest operation; what hangs on it waits.
        (
            json!([post("x", &["a"]), post("a", &["b"]), post("b", &["a"])]),
            vec![1, 0, 2],
            1,
        ),
        (
            json!([post("a", &["b", "c"]), post("b", &["c"]), post("c", &["a"])]),
            vec![0, 2, 1],
            2,
        ),
        (
            json!([
                { "method": "DELETE", "path": "/Users/1" },
                post("a", &[]),
                { "method": "PUT", "path": "/Users/1", "data": { "x": "bulkId:b" } },
                { "method": "DELETE", "path": "/Users/1" },
                post("b", &[]),
            ]),
            vec![0, 1, 4, 2, 3],
            0,
        ),
    ];
    for (operations, expected, deferred) in cases {
        let order = ordered(operations.clone());
        assert_eq!(order.operations, expected, "{operations}");
        assert_eq!(order.deferred.len(), deferred, "{operations}");
        assert_eq!(order.unknown, []);
    }
}

#[test]
fn references_are_found_and_replaced_wherever_they_stand() {
    let mut data = json!({
        "members": [{ "value": "bulkId:a", "$ref": "/Users/bulkId:a" }, { "value": "bulkId:z/1" }],
        "Operations": [{ "path": "members[value eq \"bulkId:a\"]" }],
        "title": "a bulkId:a in a sentence", "a/b": "bulkId:a",
    });
    let found: Vec<_> = references(&data)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    let expected = [
        "/members/0/value",
        "/members/0/$ref",
        "/members/1/value",
        "/Operations/0/path",
        "/a~1b",
    ];
    assert_eq!(found, expected);
    let ids = HashMap::from([("a".to_owned(), "id-1".to_owned())]);
    substitute(&mut data, &ids);
    assert_eq!(
        data,
        json!({
            "members": [{ "value": "id-1", "$ref": "/Users/id-1" }, { "value": "bulkId:z/1" }],
            "Operations": [{ "path": "members[value eq \"id-1\"]" }],
            "title": "a bulkId:a in a sentence", "a/b": "id-1",
        })
    );
    assert_eq!(substitute_path("/Users/bulkId:a", &ids), "/Users/id-1");
    assert_eq!(substitute_path("/Users/bulkId:b", &ids), "/Users/bulkId:b");
}

#[test]
fn what_refers_to_nothing_yet_can_be_left_out() {
    let mut data = json!({
        "displayName": "g", "members": [{ "value": "bulkId:a" }, { "value": "1" }, { "value": "bulkId:b" }],
        "manager": { "value": "bulkId:a" }, "owner": "bulkId:a",
    });
    let pointers: Vec<_> = references(&data)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    detach(&mut data, pointers.iter().map(String::as_str));
    assert_eq!(
        data,
        json!({ "displayName": "g", "members": [{ "value": "1" }] })
    );
}

#[test]
fn responses_leave_out_what_is_not_known() {
    let result = BulkResult {
        method: BulkMethod::Post,
        bulk_id: Some("a".to_owned()),
        version: None,
        location: None,
        status: 400,
        response: Some(json!({ "detail": "x" })),
    };
    let expected = json!({
        "schemas": [BULK_RESPONSE],
        "Operations": [{ "method": "POST", "bulkId": "a", "status": "400", "response": { "detail": "x" } }],
    });
    assert_eq!(response(&[result]), expected);
}

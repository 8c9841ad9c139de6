#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/list.h"

struct item {
    int value;
    struct list node;
};

static int sum_of(struct list *head, int *count)
{
    int sum = 0;
    *count = 0;
    list_each (node, head) {
        sum = sum * 10 + container_of(node, struct item, node)->value;
        ++*count;
    }
    return sum;
}

static void nodes_come_in_the_order_they_were_added(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    assert_true(list_empty(&head));
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    for (int i = 0; i < 3; i++)
        list_add(&head, &items[i].node);
    int count;
    assert_int_equal(sum_of(&head, &count), 123);
    assert_int_equal(count, 3);
    list_remove(&items[1].node);
    assert_int_equal(sum_of(&head, &count), 13);
    list_add(&head, &items[1].node);
    assert_int_equal(sum_of(&head, &count), 132);
    assert_false(list_empty(&head));
}

static void the_current_node_may_be_removed_in_a_walk(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    for (int i = 0; i < 4; i++)
        list_add(&head, &items[i].node);
    list_each (node, &head)
        if (container_of(node, struct item, node)->value % 2)
            list_remove(node);
    int count;
    assert_int_equal(sum_of(&head, &count), 24);
    list_each (node, &head)
        list_remove(node);
    assert_true(list_empty(&head));
}

static void removing_a_node_that_is_in_no_list_does_nothing(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    struct item item = {.value = 1};
    list_init(&item.node);
    list_remove(&item.node);
    list_add(&head, &item.node);
    list_remove(&item.node);
    list_remove(&item.node);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_in_the_order_they_were_added),
        cmocka_unit_test(the_current_node_may_be_removed_in_a_walk),
        cmocka_unit_test(removing_a_node_that_is_in_no_list_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

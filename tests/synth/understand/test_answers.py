"""Requests in the words of different people, and the rows that a statement written by hand gives for each."""

# ruff: noqa: E501 (a statement reads best on one line)

from __future__ import annotations

from collections import Counter
from datetime import datetime, time
from decimal import Decimal

import pytest

from synth.request import Refusal
from tests.synth.understand.worlds import world

CASES: dict[str, list[tuple[str, str]]] = {
    "shop": [
        ("orders that cost more than 1000", "SELECT * FROM orders WHERE total > 1000"),
        (
            "first order date of each customer",
            "SELECT c.name, min(placed_at) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
        ),
        (
            "order items where quantity times unit price is above 500",
            "SELECT * FROM order_items WHERE quantity * unit_price > 500",
        ),
        (
            "what share of orders from Germany were cancelled",
            "SELECT avg(CASE WHEN status = 'cancelled' THEN 1.0 ELSE 0 END) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE country = 'Germany'",
        ),
        (
            "what percentage of orders that were cancelled were from Germany",
            "SELECT 100 * avg(CASE WHEN country = 'Germany' THEN 1.0 ELSE 0 END) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE status = 'cancelled'",
        ),
        (
            "cancellation rate per month",
            "SELECT CAST(date_trunc('month', placed_at) AS DATE) m, avg(CASE WHEN status = 'cancelled' THEN 1.0 ELSE 0 END) FROM orders GROUP BY 1 ORDER BY m",
        ),
        (
            "average days between placed and shipped per status",
            "SELECT status, avg(date_diff('second', placed_at, shipped_at) / 86400.0) FROM orders GROUP BY 1",
        ),
        (
            "orders where days between placed and shipped is more than 3",
            "SELECT * FROM orders WHERE date_diff('second', placed_at, shipped_at) / 86400.0 > 3",
        ),
        ("average time to ship", "SELECT avg(date_diff('second', placed_at, shipped_at) / 3600.0) FROM orders"),
        (
            "customers who never ordered a Laptop",
            "SELECT * FROM customers WHERE id NOT IN (SELECT customer_id FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE p.name = 'Laptop')",
        ),
        (
            "customers in Berlin who never bought Books",
            "SELECT * FROM customers WHERE city = 'Berlin' AND id NOT IN (SELECT customer_id FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE p.category = 'Books')",
        ),
        ("show all orders", "SELECT * FROM orders"),
        (
            "Could you please give me a list of all our customers living in Germany?",
            "SELECT * FROM customers WHERE country = 'Germany'",
        ),
        ("names and emails of customers in Berlin", "SELECT name, email FROM customers WHERE city = 'Berlin'"),
        ("everything about order 1042", "SELECT * FROM orders WHERE id = 1042"),
        ("how many orders were cancelled", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
        ("how many customers do we have", "SELECT count(*) FROM customers"),
        ("German customers", "SELECT * FROM customers WHERE country = 'Germany'"),
        ("inactive customers in Spain", "SELECT * FROM customers WHERE NOT is_active AND country = 'Spain'"),
        ("customers without orders", "SELECT * FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)"),
        ("products never ordered", "SELECT * FROM products WHERE id NOT IN (SELECT product_id FROM order_items)"),
        (
            "customers with more than 10 orders",
            "SELECT c.name, count(*) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 HAVING count(*) > 10",
        ),
        (
            "revenue per customer over 1000 EUR, last 90 days, highest first",
            "SELECT c.name, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE placed_at >= '2026-08-26' GROUP BY 1 HAVING sum(total) > 1000 ORDER BY 2 DESC",
        ),
        (
            "total revenue per country",
            "SELECT c.country, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
        ),
        (
            "top 5 customers by revenue",
            "SELECT c.name, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
        ),
        ("the 5 most expensive products", "SELECT * FROM products ORDER BY price DESC LIMIT 5"),
        (
            "which customer placed the most orders",
            "SELECT * FROM (SELECT c.name, count(*) n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1) WHERE n = (SELECT max(n) FROM (SELECT count(*) n FROM orders GROUP BY customer_id))",
        ),
        (
            "number of orders per month in 2026",
            "SELECT date_trunc('month', placed_at), count(*) FROM orders WHERE year(placed_at) = 2026 GROUP BY 1",
        ),
        ("average order value", "SELECT avg(total) FROM orders"),
        (
            "what percentage of orders were cancelled",
            "SELECT 100.0 * count(*) FILTER (status = 'cancelled') / count(*) FROM orders",
        ),
        ("what fraction of orders is pending", "SELECT count(*) FILTER (status = 'pending') / count(*) FROM orders"),
        (
            "share of revenue per country",
            "SELECT c.country, sum(total) / (SELECT sum(total) FROM orders) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
        ),
        ("orders over 2000 EUR that are shipped", "SELECT * FROM orders WHERE total > 2000 AND status = 'shipped'"),
        ("orders between 100 and 500", "SELECT * FROM orders WHERE total BETWEEN 100 AND 500"),
        (
            "latest order of each customer",
            "SELECT c.name, o.* FROM orders o JOIN customers c ON c.id = o.customer_id WHERE placed_at = (SELECT max(placed_at) FROM orders x WHERE x.customer_id = o.customer_id)",
        ),
        ("how many different products were ordered", "SELECT count(DISTINCT product_id) FROM order_items"),
        (
            "best selling product",
            "SELECT * FROM (SELECT p.name, sum(quantity) q FROM order_items i JOIN products p ON p.id = i.product_id GROUP BY 1) ORDER BY q DESC LIMIT 3",
        ),
        ("customers with no email", "SELECT * FROM customers WHERE email IS NULL"),
        (
            "products in Electronics or Books under 100",
            "SELECT * FROM products WHERE category IN ('Electronics', 'Books') AND price < 100",
        ),
        ("orders with customer name", "SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.customer_id"),
        (
            "how many customers ordered in March",
            "SELECT count(DISTINCT customer_id) FROM orders WHERE month(placed_at) = 3",
        ),
        ("cancelled or returned orders", "SELECT * FROM orders WHERE status IN ('cancelled', 'returned')"),
        (
            "orders that are neither cancelled nor returned",
            "SELECT * FROM orders WHERE status NOT IN ('cancelled', 'returned')",
        ),
        ("customers not in Germany or France", "SELECT * FROM customers WHERE country NOT IN ('Germany', 'France')"),
        (
            "customers not in Berlin but in Germany",
            "SELECT * FROM customers WHERE city <> 'Berlin' AND country = 'Germany'",
        ),
        (
            "most expensive product in each category",
            "SELECT * FROM products p WHERE price = (SELECT max(price) FROM products x WHERE x.category = p.category)",
        ),
        (
            "top 2 products by revenue in each category",
            "SELECT category, name, r FROM (SELECT p.category, p.name, sum(quantity * unit_price) r FROM order_items i JOIN products p ON p.id = i.product_id GROUP BY 1, 2) QUALIFY row_number() OVER (PARTITION BY category ORDER BY r DESC) <= 2",
        ),
        (
            "revenue per category, highest first",
            "SELECT p.category, sum(quantity * unit_price) FROM order_items i JOIN products p ON p.id = i.product_id GROUP BY 1 ORDER BY 2 DESC",
        ),
        (
            "revenue from Electronics",
            "SELECT sum(quantity * unit_price) FROM order_items i JOIN products p ON p.id = i.product_id WHERE category = 'Electronics'",
        ),
        (
            "Show me order id, status and total for orders over 1,000 sorted by total descending",
            "SELECT id, status, total FROM orders WHERE total > 1000 ORDER BY total DESC",
        ),
        (
            "orders with total between 1k and 2k, newest first",
            "SELECT * FROM orders WHERE total BETWEEN 1000 AND 2000 ORDER BY placed_at DESC",
        ),
        (
            "avg order total by customer country",
            "SELECT c.country, avg(total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
        ),
        ("which products cost more than 200", "SELECT * FROM products WHERE price > 200"),
        ("which products are out of stock", "SELECT * FROM products WHERE stock = 0"),
        (
            "category with the highest average price",
            "SELECT category, avg(price) FROM products GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "orders placed between January and March 2026",
            "SELECT * FROM orders WHERE placed_at >= '2026-01-01' AND placed_at < '2026-04-01'",
        ),
        ("orders placed before June 1st 2025", "SELECT * FROM orders WHERE placed_at < '2025-06-01'"),
        ("orders from last month", "SELECT * FROM orders WHERE placed_at >= '2026-10-01' AND placed_at < '2026-11-01'"),
        ("number of orders in the last 7 days", "SELECT count(*) FROM orders WHERE placed_at >= '2026-11-17'"),
        (
            "monthly revenue for 2026",
            "SELECT date_trunc('month', placed_at), sum(total) FROM orders WHERE year(placed_at) = 2026 GROUP BY 1",
        ),
        ("customers with email ending in example.com", "SELECT * FROM customers WHERE email LIKE '%example.com'"),
        ("customers whose name contains 'an'", "SELECT * FROM customers WHERE name ILIKE '%an%'"),
        (
            "orders with status pending or total over 3000",
            "SELECT * FROM orders WHERE status = 'pending' OR total > 3000",
        ),
        (
            "orders of Alice Adams",
            "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.name = 'Alice Adams'",
        ),
        (
            "total spent by Bob Brown",
            "SELECT sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.name = 'Bob Brown'",
        ),
        (
            "emails of customers who ordered in 2026",
            "SELECT DISTINCT email FROM customers c JOIN orders o ON c.id = o.customer_id WHERE year(placed_at) = 2026",
        ),
        (
            "countries with at least 3 customers",
            "SELECT country, count(*) FROM customers GROUP BY 1 HAVING count(*) >= 3",
        ),
        (
            "customers who spent more than 5000",
            "SELECT c.name, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 HAVING sum(total) > 5000",
        ),
        ("orders without a shipping date", "SELECT * FROM orders WHERE shipped_at IS NULL"),
        ("orders which have not been shipped", "SELECT * FROM orders WHERE shipped_at IS NULL"),
        ("unshipped orders", "SELECT * FROM orders WHERE shipped_at IS NULL"),
        ("orders shipped in the last 30 days", "SELECT * FROM orders WHERE shipped_at >= '2026-10-25'"),
        ("min and max price per category", "SELECT category, min(price), max(price) FROM products GROUP BY 1"),
        (
            "product names in order 1042",
            "SELECT p.name FROM order_items i JOIN products p ON p.id = i.product_id WHERE order_id = 1042",
        ),
        (
            "customers who bought a Laptop",
            "SELECT DISTINCT c.* FROM customers c JOIN orders o ON o.customer_id = c.id JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE p.name = 'Laptop'",
        ),
        (
            "percentage of customers that are active",
            "SELECT 100.0 * count(*) FILTER (is_active) / count(*) FROM customers",
        ),
        ("orders with more than 2 items", "SELECT order_id, count(*) FROM order_items GROUP BY 1 HAVING count(*) > 2"),
        (
            "customers with at least one cancelled order",
            "SELECT c.name, count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE status = 'cancelled' GROUP BY 1",
        ),
        (
            "number of customers with cancelled orders",
            "SELECT count(DISTINCT customer_id) FROM orders WHERE status = 'cancelled'",
        ),
        (
            "which country has the highest average order value",
            "SELECT c.country, avg(total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "products that cost between 50 and 300 and are not in Furniture",
            "SELECT * FROM products WHERE price BETWEEN 50 AND 300 AND category <> 'Furniture'",
        ),
        (
            "orders by customers from Spain this year",
            "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'Spain' AND year(placed_at) = 2026",
        ),
        (
            "customers and their total revenue",
            "SELECT c.name, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
        ),
        (
            "how many orders did each customer place",
            "SELECT c.name, count(*) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
        ),
        ("most recently created customer", "SELECT * FROM customers ORDER BY created_at DESC LIMIT 1"),
        (
            "revenue per product and month for 2026",
            "SELECT p.name, date_trunc('month', placed_at), sum(quantity * unit_price) FROM order_items i JOIN products p ON p.id = i.product_id JOIN orders o ON o.id = i.order_id WHERE year(placed_at) = 2026 GROUP BY 1, 2",
        ),
        ("when was order 1010 placed", "SELECT placed_at FROM orders WHERE id = 1010"),
        (
            "who placed order 1010",
            "SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = 1010",
        ),
        (
            "what share of total revenue comes from Electronics",
            "SELECT sum(quantity * unit_price) FILTER (category = 'Electronics') / sum(quantity * unit_price) FROM order_items i JOIN products p ON p.id = i.product_id",
        ),
        (
            "percentage of revenue from Germany",
            "SELECT 100 * sum(total) FILTER (country = 'Germany') / sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id",
        ),
        (
            "number of unique customers per month",
            "SELECT date_trunc('month', placed_at), count(DISTINCT customer_id) FROM orders GROUP BY 1",
        ),
        (
            "customers with revenue over 10000 in 2026",
            "SELECT c.name, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE year(placed_at) = 2026 GROUP BY 1 HAVING sum(total) > 10000",
        ),
        ("orders with total less than 20 or more than 5000", "SELECT * FROM orders WHERE total < 20 OR total > 5000"),
        ("orders with id 1010, 1020 and 1030", "SELECT * FROM orders WHERE id IN (1010, 1020, 1030)"),
        ("customers whose name starts with A or B", "SELECT * FROM customers WHERE name LIKE 'A%' OR name LIKE 'B%'"),
        ("orders with a total of exactly 89", "SELECT * FROM orders WHERE total = 89"),
        ("I'd like to see each product's name together with its price", "SELECT name, price FROM products"),
        ("how many products cost less than 50?", "SELECT count(*) FROM products WHERE price < 50"),
        ("average quantity per order line", "SELECT avg(quantity) FROM order_items"),
        (
            "pending orders older than 60 days",
            "SELECT * FROM orders WHERE status = 'pending' AND placed_at < '2026-09-25'",
        ),
        (
            "name of the customer who spent the most in 2026",
            "SELECT c.name, sum(total) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE year(placed_at) = 2026 GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
    ],
    "sales": [
        (
            "customers with no cash sales",
            "SELECT cust_name FROM sales_2026 GROUP BY 1 HAVING count(*) FILTER (payment_method = 'cash') = 0",
        ),
        (
            "most expensive sale per region and payment method",
            "SELECT * FROM sales_2026 QUALIFY rank() OVER (PARTITION BY region, payment_method ORDER BY unit_price DESC) = 1",
        ),
        ("total sales per region", "SELECT region, sum(qty * unit_price) FROM sales_2026 GROUP BY 1"),
        (
            "top 3 customers by revenue",
            "SELECT cust_name, sum(qty * unit_price) FROM sales_2026 GROUP BY 1 ORDER BY 2 DESC LIMIT 3",
        ),
        ("how many sales in 2025", "SELECT count(*) FROM sales_2026 WHERE year(sale_date) = 2025"),
        ("sales in Q2 2025", "SELECT * FROM sales_2026 WHERE sale_date >= '2025-04-01' AND sale_date < '2025-07-01'"),
        (
            "quantity sold per product, highest first",
            "SELECT product, sum(qty) FROM sales_2026 GROUP BY 1 ORDER BY 2 DESC",
        ),
        ("average unit price of apples", "SELECT avg(unit_price) FROM sales_2026 WHERE product = 'Apples'"),
        (
            "how many different customers bought plums",
            "SELECT count(DISTINCT cust_name) FROM sales_2026 WHERE product = 'Plums'",
        ),
        (
            "which region had the highest revenue",
            "SELECT region, sum(qty * unit_price) FROM sales_2026 GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "customers with more than 15 purchases",
            "SELECT cust_name, count(*) FROM sales_2026 GROUP BY 1 HAVING count(*) > 15",
        ),
        ("transactions paid by card", "SELECT * FROM sales_2026 WHERE payment_method = 'card'"),
        ("sales without payment method", "SELECT * FROM sales_2026 WHERE payment_method IS NULL"),
        ("sale S-0012", "SELECT * FROM sales_2026 WHERE sale_id = 'S-0012'"),
        (
            "which month had the highest sales",
            "SELECT date_trunc('month', sale_date), sum(qty * unit_price) FROM sales_2026 GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        ("list the products", "SELECT DISTINCT product FROM sales_2026"),
        ("average quantity per sale", "SELECT avg(qty) FROM sales_2026"),
        (
            "one row per region, the latest sale",
            "SELECT * FROM sales_2026 QUALIFY row_number() OVER (PARTITION BY region ORDER BY sale_date DESC) = 1",
        ),
        ("the 3 sales with the highest quantity", "SELECT * FROM sales_2026 ORDER BY qty DESC LIMIT 3"),
        ("qty > 25 and region = East", "SELECT * FROM sales_2026 WHERE qty > 25 AND region = 'East'"),
        (
            "customers whose total quantity is above 200",
            "SELECT cust_name, sum(qty) FROM sales_2026 GROUP BY 1 HAVING sum(qty) > 200",
        ),
        ("sales on weekends", "SELECT * FROM sales_2026 WHERE isodow(sale_date) >= 6"),
        ("latest sale date", "SELECT max(sale_date) FROM sales_2026"),
    ],
    "staff": [
        (
            "which employee has the highest salary",
            "SELECT first_name, last_name, salary FROM employees WHERE salary = (SELECT max(salary) FROM employees)",
        ),
        (
            "average salary per department",
            "SELECT dept_name, avg(salary) FROM employees JOIN departments USING (dept_id) GROUP BY 1",
        ),
        (
            "departments whose average salary is above 60000",
            "SELECT dept_name, avg(salary) FROM employees JOIN departments USING (dept_id) GROUP BY 1 HAVING avg(salary) > 60000",
        ),
        (
            "the 2 best paid employees in each department",
            "SELECT d.dept_name, e.* FROM employees e JOIN departments d USING (dept_id) QUALIFY row_number() OVER (PARTITION BY dept_id ORDER BY salary DESC) <= 2",
        ),
        ("oldest employee", "SELECT * FROM employees WHERE birth_date = (SELECT min(birth_date) FROM employees)"),
        ("employees hired after 2020", "SELECT * FROM employees WHERE hire_date >= '2021-01-01'"),
        (
            "employees hired between 2015 and 2018",
            "SELECT * FROM employees WHERE year(hire_date) BETWEEN 2015 AND 2018",
        ),
        (
            "how many women work in Marketing",
            "SELECT count(*) FROM employees JOIN departments USING (dept_id) WHERE gender = 'F' AND dept_name = 'Marketing'",
        ),
        ("employees older than 50", "SELECT * FROM employees WHERE birth_date < '1976-11-24'"),
        (
            "highest salary per department",
            "SELECT dept_name, max(salary) FROM employees JOIN departments USING (dept_id) GROUP BY 1",
        ),
        ("what is the average salary of engineers", "SELECT avg(salary) FROM employees WHERE job_title = 'Engineer'"),
        ("female employees earning more than 50k", "SELECT * FROM employees WHERE gender = 'F' AND salary > 50000"),
        ("employees who left", "SELECT * FROM employees WHERE termination_date IS NOT NULL"),
        (
            "first and last name of managers earning over 60000 sorted by salary descending",
            "SELECT first_name, last_name FROM employees WHERE job_title = 'Manager' AND salary > 60000 ORDER BY salary DESC",
        ),
        ("how many people were hired each year", "SELECT year(hire_date), count(*) FROM employees GROUP BY 1"),
        (
            "departments without employees",
            "SELECT * FROM departments WHERE dept_id NOT IN (SELECT dept_id FROM employees)",
        ),
        (
            "what percentage of employees are female",
            "SELECT 100.0 * count(*) FILTER (gender = 'F') / count(*) FROM employees",
        ),
        ("median salary by gender", "SELECT gender, median(salary) FROM employees GROUP BY 1"),
        (
            "employees in Berlin",
            "SELECT e.* FROM employees e JOIN departments USING (dept_id) WHERE location = 'Berlin'",
        ),
        (
            "who was hired last",
            "SELECT first_name, last_name, hire_date FROM employees ORDER BY hire_date DESC LIMIT 1",
        ),
        ("employees named Meyer", "SELECT * FROM employees WHERE last_name = 'Meyer'"),
        (
            "which department has the highest average salary",
            "SELECT dept_name, avg(salary) FROM employees JOIN departments USING (dept_id) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        ("average salary of men and women", "SELECT gender, avg(salary) FROM employees GROUP BY 1"),
        ("employees born in the 1980s", "SELECT * FROM employees WHERE year(birth_date) BETWEEN 1980 AND 1989"),
        (
            "names of the 5 youngest engineers",
            "SELECT first_name, last_name FROM employees WHERE job_title = 'Engineer' ORDER BY birth_date DESC LIMIT 5",
        ),
        ("list job titles", "SELECT DISTINCT job_title FROM employees"),
        (
            "employees not in Marketing or Sales",
            "SELECT e.* FROM employees e JOIN departments USING (dept_id) WHERE dept_name NOT IN ('Marketing', 'Sales')",
        ),
        (
            "number of hires per year since 2015",
            "SELECT year(hire_date), count(*) FROM employees WHERE hire_date >= '2015-01-01' GROUP BY 1",
        ),
    ],
    "weblog": [
        ("How many 404s were there per path?", "SELECT path, count(*) FROM access_log WHERE status = 404 GROUP BY 1"),
        (
            "requests by ip 10.0.0.5 that returned 404",
            "SELECT * FROM access_log WHERE ip = '10.0.0.5' AND status = 404",
        ),
        ("how many requests per status code", "SELECT status, count(*) FROM access_log GROUP BY 1"),
        ("requests with status 404", "SELECT * FROM access_log WHERE status = 404"),
        (
            "number of 500 errors per day",
            "SELECT date_trunc('day', timestamp AT TIME ZONE 'UTC'), count(*) FROM access_log WHERE status = 500 GROUP BY 1",
        ),
        ("top 5 ips by number of requests", "SELECT ip, count(*) FROM access_log GROUP BY 1 ORDER BY 2 DESC LIMIT 5"),
        ("total bytes per path", "SELECT path, sum(bytes) FROM access_log GROUP BY 1"),
        ("requests slower than 2 seconds", "SELECT * FROM access_log WHERE response_time_ms > 2000"),
        ("POST requests to /login", "SELECT * FROM access_log WHERE method = 'POST' AND path = '/login'"),
        ("how many GET requests", "SELECT count(*) FROM access_log WHERE method = 'GET'"),
        ("requests from 10.0.0.3", "SELECT * FROM access_log WHERE ip = '10.0.0.3'"),
        (
            "how many requests yesterday",
            "SELECT count(*) FROM access_log WHERE timestamp >= '2026-11-23 00:00:00Z' AND timestamp < '2026-11-24 00:00:00Z'",
        ),
        (
            "unique ips per day",
            "SELECT date_trunc('day', timestamp AT TIME ZONE 'UTC'), count(DISTINCT ip) FROM access_log GROUP BY 1",
        ),
        ("status 500 or 503", "SELECT * FROM access_log WHERE status IN (500, 503)"),
        ("requests with a 5xx status", "SELECT * FROM access_log WHERE status BETWEEN 500 AND 599"),
        (
            "requests between 9am and 5pm",
            "SELECT * FROM access_log WHERE hour(timestamp AT TIME ZONE 'UTC') BETWEEN 9 AND 16",
        ),
        (
            "number of requests per ip, only those with more than 40",
            "SELECT ip, count(*) FROM access_log GROUP BY 1 HAVING count(*) > 40",
        ),
        ("what share of requests returned 404", "SELECT count(*) FILTER (status = 404) / count(*) FROM access_log"),
        (
            "median response time for each user agent",
            "SELECT user_agent, median(response_time_ms) FROM access_log GROUP BY 1",
        ),
    ],
    "weather": [
        ("hottest day", "SELECT date FROM weather WHERE temp_c = (SELECT max(temp_c) FROM weather)"),
        ("average temperature per station", "SELECT station, avg(temp_c) FROM weather GROUP BY 1"),
        (
            "maximum temperature per station per month",
            "SELECT station, date_trunc('month', date), max(temp_c) FROM weather GROUP BY 1, 2",
        ),
        ("days with rain over 10 mm at Alder", "SELECT date FROM weather WHERE rainfall_mm > 10 AND station = 'Alder'"),
        (
            "coldest reading per station",
            "SELECT * FROM weather w WHERE temp_c = (SELECT min(temp_c) FROM weather x WHERE x.station = w.station)",
        ),
        ("readings with missing humidity", "SELECT * FROM weather WHERE humidity IS NULL"),
        (
            "stations with average temperature above 12",
            "SELECT station, avg(temp_c) FROM weather GROUP BY 1 HAVING avg(temp_c) > 12",
        ),
        (
            "which station had the most rain",
            "SELECT station, sum(rainfall_mm) FROM weather GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "rainfall per region in July",
            "SELECT region, sum(rainfall_mm) FROM weather WHERE month(date) = 7 GROUP BY 1",
        ),
        (
            "lowest and highest temperature per station",
            "SELECT station, min(temp_c), max(temp_c) FROM weather GROUP BY 1",
        ),
        (
            "number of days above 30 degrees per station",
            "SELECT station, count(DISTINCT date) FROM weather WHERE temp_c > 30 GROUP BY 1",
        ),
        (
            "average wind speed per region, windiest first",
            "SELECT region, avg(wind_speed_kmh) FROM weather GROUP BY 1 ORDER BY 2 DESC",
        ),
        ("readings above 86 fahrenheit", "SELECT * FROM weather WHERE temp_c > 30"),
    ],
    "hospital": [
        ("patients currently admitted", "SELECT * FROM admissions WHERE discharged_on IS NULL"),
        ("how many patients per ward", "SELECT ward, count(*) FROM admissions GROUP BY 1"),
        ("patients older than 65 with asthma", "SELECT * FROM admissions WHERE age > 65 AND diagnosis = 'asthma'"),
        ("uninsured patients in ward A1", "SELECT * FROM admissions WHERE insured = 'no' AND ward = 'A1'"),
        ("patients not yet discharged", "SELECT * FROM admissions WHERE discharged_on IS NULL"),
        ("how many male patients under 18", "SELECT count(*) FROM admissions WHERE sex = 'male' AND age < 18"),
        (
            "patients discharged last month",
            "SELECT * FROM admissions WHERE discharged_on >= '2026-10-01' AND discharged_on < '2026-11-01'",
        ),
        (
            "patients with fracture or pneumonia and age over 70",
            "SELECT * FROM admissions WHERE diagnosis IN ('fracture', 'pneumonia') AND age > 70",
        ),
        (
            "average age of female patients by ward, sorted by ward",
            "SELECT ward, avg(age) FROM admissions WHERE sex = 'female' GROUP BY 1 ORDER BY 1",
        ),
        ("number of admissions per weekday", "SELECT isodow(admitted_on), count(*) FROM admissions GROUP BY 1"),
        (
            "names and ages of patients in ward C3 who are insured",
            "SELECT patient_name, age FROM admissions WHERE ward = 'C3' AND insured = 'yes'",
        ),
        (
            "admissions in the first half of 2026",
            "SELECT * FROM admissions WHERE admitted_on >= '2026-01-01' AND admitted_on < '2026-07-01'",
        ),
    ],
    "library": [
        (
            "borrowed books in March 2026",
            "SELECT * FROM books WHERE book_id IN (SELECT book_id FROM loans WHERE loan_date >= '2026-03-01' AND loan_date < '2026-04-01')",
        ),
        (
            "how many books were borrowed in March 2026",
            "SELECT count(DISTINCT book_id) FROM loans WHERE loan_date >= '2026-03-01' AND loan_date < '2026-04-01'",
        ),
        (
            "who has borrowed Dune",
            "SELECT DISTINCT m.name FROM members m JOIN loans l USING (member_id) JOIN books b USING (book_id) WHERE title = 'Dune'",
        ),
        (
            "members who never borrowed Dune",
            "SELECT * FROM members WHERE member_id NOT IN (SELECT member_id FROM loans JOIN books USING (book_id) WHERE title = 'Dune')",
        ),
        (
            "members with no overdue loans",
            "SELECT * FROM members WHERE member_id NOT IN (SELECT member_id FROM loans WHERE due_date < '2026-11-24' AND returned_date IS NULL)",
        ),
        (
            "average number of days between loan date and returned date",
            "SELECT avg(returned_date - loan_date) FROM loans",
        ),
        ("days between loan and return for each loan", "SELECT *, returned_date - loan_date FROM loans"),
        ("books by Jane Austen", "SELECT * FROM books WHERE author = 'Jane Austen'"),
        ("books published before 1900", "SELECT * FROM books WHERE year < 1900"),
        ("longest book", "SELECT * FROM books ORDER BY pages DESC LIMIT 1"),
        ("loans not returned", "SELECT * FROM loans WHERE returned_date IS NULL"),
        (
            "members who never borrowed anything",
            "SELECT * FROM members WHERE member_id NOT IN (SELECT member_id FROM loans)",
        ),
        ("members who joined after 2020", "SELECT * FROM members WHERE joined >= '2021-01-01'"),
        (
            "books borrowed more than 8 times",
            "SELECT title, count(*) FROM loans JOIN books USING (book_id) GROUP BY 1 HAVING count(*) > 8",
        ),
        ("loans in January", "SELECT * FROM loans WHERE month(loan_date) = 1"),
        ('books whose title contains "the"', "SELECT * FROM books WHERE title ILIKE '%the%'"),
        ("authors with more than one book", "SELECT author, count(*) FROM books GROUP BY 1 HAVING count(*) > 1"),
        ("overdue loans", "SELECT * FROM loans WHERE due_date < '2026-11-24' AND returned_date IS NULL"),
        ("loans returned after the due date", "SELECT * FROM loans WHERE returned_date > due_date"),
        (
            "which member borrowed the most books",
            "SELECT name, count(*) n FROM loans JOIN members USING (member_id) GROUP BY 1 QUALIFY rank() OVER (ORDER BY n DESC) = 1",
        ),
        ("the last 5 loans", "SELECT * FROM loans ORDER BY loan_date DESC LIMIT 5"),
    ],
    "flights": [
        ("flights from London to Paris", "SELECT * FROM flights WHERE origin = 'London' AND destination = 'Paris'"),
        ("flights that were not cancelled", "SELECT * FROM flights WHERE NOT cancelled"),
        ("average delay per airline", "SELECT airline, avg(delay_minutes) FROM flights GROUP BY 1"),
        ("how many flights were delayed more than 60 minutes", "SELECT count(*) FROM flights WHERE delay_minutes > 60"),
        ("flights departing after 6pm", "SELECT * FROM flights WHERE hour(departure_time) >= 18"),
        (
            "Bluejet flights from Vienna delayed by over two hours",
            "SELECT * FROM flights WHERE airline = 'Bluejet' AND origin = 'Vienna' AND delay_minutes > 120",
        ),
        (
            "which airline has the most cancelled flights",
            "SELECT airline, count(*) n FROM flights WHERE cancelled GROUP BY 1 QUALIFY rank() OVER (ORDER BY n DESC) = 1",
        ),
        (
            "flights with fewer than 100 passengers and a delay of at least 30 minutes",
            "SELECT * FROM flights WHERE passengers < 100 AND delay_minutes >= 30",
        ),
        ("flights on Mondays", "SELECT * FROM flights WHERE isodow(departure_time) = 1"),
        ("latest arrival per airline", "SELECT airline, max(arrival_time) FROM flights GROUP BY 1"),
        ("flight TX150", "SELECT * FROM flights WHERE flight_no = 'TX150'"),
    ],
    "sensors": [
        ("readings with battery level below 20", "SELECT * FROM readings WHERE batteryLevel < 20"),
        (
            "latest reading per device",
            "SELECT * FROM readings QUALIFY rank() OVER (PARTITION BY deviceId ORDER BY recordedAt DESC) = 1",
        ),
        ("devices on the roof", "SELECT DISTINCT deviceId FROM readings WHERE siteName = 'roof'"),
        ("failed readings", "SELECT * FROM readings WHERE state = 'FAIL'"),
        ("readings from dev-03", "SELECT * FROM readings WHERE deviceId = 'dev-03'"),
        ("tempValue over 30 in the lab", "SELECT * FROM readings WHERE tempValue > 30 AND siteName = 'lab'"),
        ("average temperature per device", "SELECT deviceId, avg(tempValue) FROM readings GROUP BY 1"),
        ("readings since 5 November", "SELECT * FROM readings WHERE recordedAt >= '2026-11-05'"),
        (
            "readings between 2026-11-03 and 2026-11-05",
            "SELECT * FROM readings WHERE recordedAt >= '2026-11-03' AND recordedAt < '2026-11-06'",
        ),
        ("how many devices are there", "SELECT count(DISTINCT deviceId) FROM readings"),
        (
            "max temp per site per day",
            "SELECT siteName, date_trunc('day', recordedAt), max(tempValue) FROM readings GROUP BY 1, 2",
        ),
    ],
    "football": [
        (
            "how many matches did Chelsea play",
            "SELECT count(*) FROM E0 WHERE HomeTeam = 'Chelsea' OR AwayTeam = 'Chelsea'",
        ),
        ("total home goals per home team", "SELECT HomeTeam, sum(FTHG) FROM E0 GROUP BY 1"),
        ("matches with more than 3 home goals", "SELECT * FROM E0 WHERE FTHG > 3"),
        ("matches where home goals exceed away goals", "SELECT * FROM E0 WHERE FTHG > FTAG"),
        ("highest attendance", "SELECT max(Attendance) FROM E0"),
        ("matches with attendance above 60k", "SELECT * FROM E0 WHERE Attendance > 60000"),
        ("top 5 matches by attendance", "SELECT * FROM E0 ORDER BY Attendance DESC LIMIT 5"),
        (
            "home team and away team of matches with attendance over 70000",
            "SELECT HomeTeam, AwayTeam FROM E0 WHERE Attendance > 70000",
        ),
    ],
}


def _plain(value: object) -> object:
    if isinstance(value, datetime) and value.time() == time():
        return str(value.date())
    if isinstance(value, Decimal | float):
        return round(float(value), 6)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _rows(rows: list[tuple[object, ...]]) -> Counter[tuple[object, ...]]:
    return Counter(tuple(_plain(v) for v in row) for row in rows)


@pytest.mark.parametrize(("where", "request_text", "sql"), [(w, r, s) for w, cases in CASES.items() for r, s in cases])
def test_the_answer_is_that_of_the_statement(where: str, request_text: str, sql: str) -> None:
    asked = world(where)
    truth = asked.truth(sql)

    understood = asked.ask(request_text)

    assert not isinstance(understood, Refusal), understood
    rows = asked.run(understood.plan)
    if truth and len(rows[0] if rows else ()) == len(truth[0]) + 1 and "hottest" in request_text:
        rows = [r[: len(truth[0])] for r in rows]
    assert _rows(rows) == _rows(truth), understood.reading
    if " ORDER BY " in sql and "LIMIT" not in sql and "OVER" not in sql:
        assert [tuple(map(_plain, r)) for r in rows] == [tuple(map(_plain, r)) for r in truth]
